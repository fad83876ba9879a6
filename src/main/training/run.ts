import { basename } from 'node:path';
import { constants, setPriority } from 'node:os';
import { PunaError } from '../../shared/error.ts';
import { llama } from '../inference/llama.ts';
import { fingerprintOf } from '../weights/base-model.ts';
import { readModelFile, type ModelFile } from '../weights/model-file.ts';
import { writeTrained } from './adapter-file.ts';
import {
  loadCheckpoint,
  removeCheckpoint,
  type RunIdentity,
  type RunState,
  saveCheckpoint,
} from './checkpoint.ts';
import { dataFingerprint } from './fingerprint.ts';
import { checkpointPath, type TrainingEvent, type TrainingInput, type TrainingResult } from './messages.ts';
import { Plan, splitValidation } from './plan.ts';
import { Session } from './session.ts';
import { train } from './trainer.ts';
import { loadData } from './training-data.ts';

export interface RunOptions {
  /** Stops the run cleanly: what has been learnt is kept. */
  signal: AbortSignal;
  emit: (event: TrainingEvent) => void;
  /** Resolves when the next step may begin. */
  turn: () => Promise<unknown>;
}

/**
 * A training run from files to file. Errors: those of reading the model and the data, `unsupported-model`, `out-of-memory`,
 * `disk-full`, `invalid-input`.
 */
export async function runTraining(input: TrainingInput, options: RunOptions): Promise<TrainingResult> {
  const begin = performance.now();
  const { settings, out } = input;
  refuseOverwriting(input);
  // The machine stays usable for whoever sits before it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

  const file = await readModelFile(input.model);
  const llamaCpp = await llama(settings.device === 'cpu' ? false : settings.device);
  const { samples, notes } = await loadData(llamaCpp, input, options.signal);
  for (const text of notes) options.emit({ type: 'note', text });
  const { learnt, measured } = splitValidation(samples, settings);
  const plan = new Plan(learnt, measured, settings);

  using session = await Session.open(llamaCpp, file, plan, options);
  const identity = identityOf(file, samples, input);
  const path = checkpointPath(out);
  const state: RunState = input.resume
    ? await loadCheckpoint(path, identity, session.parameters)
    : { step: 0, loss: null, validationLoss: null, bestValidationLoss: null, withoutImprovement: 0 };
  options.emit({
    ...{ type: 'plan', steps: plan.steps, doneSteps: state.step, length: plan.length },
    ...{ samples: learnt.length, validationSamples: measured.length, sequences: plan.sequences.length },
    ...session.description,
  });

  const record = (at: RunState) => ({
    ...{ settings, data: input.data.map((name) => basename(name)), dataSha256: identity.data },
    ...{ steps: at.step, loss: at.loss, validationLoss: at.validationLoss },
  });
  const write = (target: string, at: RunState) => writeTrained(target, file, session.parameters, record(at));
  const finish = await train(session.machinery, settings, state, {
    signal: options.signal,
    turn: options.turn,
    onStep: (report) => options.emit({ type: 'step', ...report }),
    onValidation: (step, validationLoss, best) =>
      options.emit({ type: 'validation', step, validationLoss, perplexity: Math.exp(validationLoss), best }),
    save: (at) => saveCheckpoint(path, identity, at, session.parameters),
    saveBest: (at) => write(out, at),
  });

  // The best one is written already, where there are measurements.
  const last = state.bestValidationLoss === null ? null : lastPath(out);
  await write(last ?? out, state);
  if (finish !== 'stopped') await removeCheckpoint(path);
  return {
    ...{ adapter: out, last, finish, steps: state.step },
    ...{ loss: state.loss, validationLoss: state.bestValidationLoss },
    estimatedBytes: session.description.estimatedBytes,
    peakMemoryBytes: session.peakMemory(),
    seconds: (performance.now() - begin) / 1000,
  };
}

/** `adapter.gguf` → `adapter-last.gguf` */
function lastPath(out: string): string {
  return out.replace(/(\.gguf)?$/i, '-last$1');
}

function identityOf(
  file: ModelFile,
  samples: Parameters<typeof dataFingerprint>[0],
  input: TrainingInput,
): RunIdentity {
  const { sha256, bytes } = fingerprintOf(file);
  // Where it computes, how often it saves and how much memory it may take change nothing that is learnt.
  const { checkpointEvery, threads, device, recompute, memoryLimit, ...settings } = input.settings;
  void [checkpointEvery, threads, device, recompute, memoryLimit];
  return {
    base: sha256,
    baseBytes: bytes,
    data: dataFingerprint(samples),
    settings: JSON.stringify(settings),
  };
}

function refuseOverwriting({ model, data, out }: TrainingInput): void {
  if (![model, ...data].includes(out)) return;
  throw new PunaError('invalid-input', `${out} is read and cannot be written.`, 'Give --out another name.');
}
