import { serveEngine } from '../engine/serve-engine.ts';
import { hashFile } from './hash-file.ts';
import type { WeightsJobs } from './messages.ts';
import { readModelFacts } from './model-facts.ts';
import { discardWeights, planWeights, runWeights } from './operations/index.ts';
import type { QuantizeJobs } from './quantize/messages.ts';
import { quantizeGguf } from './quantize/quantize-gguf.ts';
import { recognise } from './recognise.ts';

/** The engine process that computes with weights, one operation at a time. */
serveEngine<WeightsJobs & QuantizeJobs>(
  {
    recognise: ({ path }) => recognise(path),
    facts: ({ path }) => readModelFacts(path),
    hash: ({ path }, { signal, emit }) => hashFile(path, { signal, onProgress: (bytes) => emit({ bytes }) }),
    plan: (operation) => planWeights(operation),
    run: (operation, job) => runWeights(operation, job),
    discard: async (operation) => {
      await discardWeights(operation);
      return null;
    },
    // With all that the command line can choose.
    quantize: (input, { signal, emit }) => quantizeGguf(input, { signal, onEvent: emit }),
  },
  async () => undefined,
);
