import { serveEngine } from '../engine/serve-engine.ts';
import type { WeightsJobs } from './messages.ts';
import { discardWeights, planWeights, runWeights } from './operations/index.ts';
import { recognise } from './recognise.ts';

/** The engine process that computes with weights, one operation at a time. */
serveEngine<WeightsJobs>(
  {
    recognise: ({ path }) => recognise(path),
    plan: (operation) => planWeights(operation),
    run: (operation, job) => runWeights(operation, job),
    discard: async (operation) => {
      await discardWeights(operation);
      return null;
    },
  },
  async () => undefined,
);
