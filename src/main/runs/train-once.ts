import { existsSync } from 'node:fs';
import { PunaError } from '../../shared/error.ts';
import { Engine, type LaunchEngine } from '../engine/index.ts';
import {
  checkpointPath,
  type TrainingEvent,
  type TrainingJobs,
  type TrainingPlan,
  type TrainingResult,
} from '../training/messages.ts';
import type { LiveRun } from './live-run.ts';
import type { Snapshot } from './sampler.ts';

export type TrainingEngine = Engine<TrainingJobs>;

export interface TrainOnceOptions {
  launchEngine: LaunchEngine;
  /** The engine that is at work, to pause it; null when it has ended. */
  onEngine: (engine: TrainingEngine | null) => void;
  /** Whether the run may go on with this plan, beside all else that is in memory. */
  fits: (plan: TrainingPlan) => boolean;
  /** A copy of what has been taught so far, which whoever is told removes. */
  onSnapshot: (snapshot: Snapshot) => void;
}

/**
 * One try at a run, in an engine process of its own, which gives back all memory when it ends. Goes on from the checkpoint if
 * there is one, and leaves it: until the run is written down as done, it may have to end once more. Errors: those of the training engine, `engine-died`, `cancelled`.
 */
export async function trainOnce(live: LiveRun, options: TrainOnceOptions): Promise<TrainingResult> {
  const engine: TrainingEngine = new Engine({ entry: 'training-engine', launch: options.launchEngine });
  const crowded = new AbortController();
  const onEvent = (event: TrainingEvent) => {
    if (event.type === 'snapshot') {
      return options.onSnapshot({ step: event.step, path: event.path, isCopy: true });
    }
    live.apply(event);
    if (event.type === 'plan' && !options.fits(event)) crowded.abort();
  };
  const { modelPath: model, data, validationData, adapterPath: out, settings } = live.value;
  const resume = existsSync(checkpointPath(out));
  const input = { model, data, validationData, out, settings, resume, keepCheckpoint: true };
  live.prepare();
  options.onEngine(engine);
  try {
    const signal = AbortSignal.any([live.controller.signal, crowded.signal]);
    const trained = engine.run('train', input, { signal, onEvent });
    // It was paused while there was no engine to be told.
    const held = live.paused ? engine.run('pause', { paused: true }) : null;
    const [result] = await Promise.all([trained, held]);
    const isOwnStop = crowded.signal.aborted && !live.controller.signal.aborted;
    if (result.finish === 'stopped' && isOwnStop) throw crowdedOut();
    return result;
  } finally {
    options.onEngine(null);
    await engine.stop();
  }
}

function crowdedOut(): PunaError {
  return new PunaError(
    'out-of-memory',
    'Training and the model that chats need more memory together than training may take.',
    'Allow training more memory, or unload the model.',
  );
}
