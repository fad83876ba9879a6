import { serveEngine } from '../engine/serve-engine.ts';
import type { TrainingJobs } from './messages.ts';
import { runTraining } from './run.ts';

/** The engine process that trains: one run at a time, in memory of its own. */
let resumed: PromiseWithResolvers<undefined> = Promise.withResolvers();
resumed.resolve(undefined);

serveEngine<TrainingJobs>(
  {
    train: (input, { signal, emit }) =>
      runTraining(input, { signal, emit, turn: () => Promise.race([resumed.promise, aborted(signal)]) }),
    pause: async ({ paused }) => {
      resumed.resolve(undefined);
      if (paused) resumed = Promise.withResolvers();
      return null;
    },
  },
  async () => undefined,
);

function aborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}
