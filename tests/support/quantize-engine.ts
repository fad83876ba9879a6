import { serveEngine } from '../../src/main/engine/serve-engine.ts';
import type { QuantizeJobs } from '../../src/main/weights/quantize/messages.ts';
import { quantizeGguf } from '../../src/main/weights/quantize/quantize-gguf.ts';

/** An engine process that quantizes, and nothing else. */
serveEngine<QuantizeJobs>(
  { quantize: (input, { signal, emit }) => quantizeGguf(input, { signal, onEvent: emit }) },
  async () => undefined,
);
