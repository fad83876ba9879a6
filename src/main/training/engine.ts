import { aborted } from 'node:util';
import { serveEngine } from '../engine/serve-engine.ts';
import { estimateTraining } from './estimate.ts';
import { computeImportance } from './importance.ts';
import type { TrainingJobs } from './messages.ts';
import { runTraining } from './run.ts';

/** The engine process that trains: one run at a time, in memory of its own. While it is held, this is what lets it go on. */
let held: PromiseWithResolvers<undefined> | null = null;

serveEngine<TrainingJobs>(
  {
    train: (input, { signal, emit }) =>
      runTraining(input, {
        ...{ signal, emit },
        // A run that is stopped need not wait.
        turn: async () => held && Promise.race([held.promise, aborted(signal, signal)]),
      }),
    pause: async ({ paused }) => {
      held?.resolve(undefined);
      held = paused ? Promise.withResolvers() : null;
      return null;
    },
    estimate: (input, { signal }) => estimateTraining(input, signal),
    importance: (input, { signal, emit }) => computeImportance(input, { signal, emit }),
  },
  async () => undefined,
);
