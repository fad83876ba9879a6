import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack } from '../../src/main/training/batches.ts';
import { describeDecoder, Weights } from '../../src/main/training/models/index.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { temporaryFolder } from '../support/shell.ts';
import {
  buildTinyArchitecture,
  type TinyQuantization,
  tinyVariants,
  type TinyVariant,
} from '../support/tiny-architectures.ts';
import { openCpu, relativeDifference, sequenceLogits } from '../support/training.ts';

/**
 * Root mean square of the difference, relative to that of the logits. Measured: 1e-6 in F32 (8e-5 with Gemma's GELU, which ggml
 * looks up in F16), 6e-4 in F16, 4e-3 in BF16. What is multiplied with quantized weights is quantized itself, so that there the
 * difference is mostly 0, and 1e-2 (once 2e-2) where the last digit of a number falls on the other side.
 */
const tolerances: Record<TinyQuantization, number> = {
  ...{ F32: 2e-4, F16: 2e-3, BF16: 1e-2 },
  ...{ Q8_0: 2e-2, Q4_K_M: 3e-2, Q6_K: 2e-2 },
};
const quantizations = Object.keys(tolerances) as TinyQuantization[];
/** More than the tiny models' sliding window, than one chunk of attention, and than the 64 queries that ggml takes as a tile. */
const tokens = Array.from({ length: 72 }, (_, index) => 300 + ((index * 37) % 500));

const backend = openCpu();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(async () => {
  backend[Symbol.dispose]();
  await folder.remove();
});

/** Logits of every token, as the training graph computes them, in a sequence with other samples around. */
async function trainingLogits(path: string, attentionChunk: number): Promise<Float32Array> {
  const file = await readModelFile(path);
  const decoder = describeDecoder(file);
  using weights = await Weights.load(backend, file, { transposed: () => false, exact: false });
  const sample = { tokens, learnt: tokens.map(() => true) };
  const other = { tokens: tokens.slice(0, 8), learnt: [] };
  const [sequence] = pack([sample, other], 90);
  if (!sequence) throw new Error('Nothing was packed.');

  const model = { decoder, weights, adapters: null };
  const logits = await sequenceLogits(backend, model, sequence, { attentionChunk });
  return logits.subarray(0, tokens.length * decoder.vocabulary);
}

/** The same by llama.cpp, token by token. */
function llamaLogits(path: string): Float32Array {
  using llama = new BareLlama(path, { threads: 1, contextSize: 128, exact: true });
  const rows = tokens.map((token) => {
    llama.decode(Int32Array.of(token));
    return llama.logits();
  });
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

describe.each(Object.keys(tinyVariants) as TinyVariant[])('%s', (variant) => {
  test.each(quantizations)(
    "has llama.cpp's logits in %s, with attention in one chunk and in several",
    async (quantization) => {
      const path = await buildTinyArchitecture(join(folder.folder, 'model.gguf'), variant, quantization);
      const expected = llamaLogits(path);
      for (const chunk of [256, 16]) {
        const difference = relativeDifference(await trainingLogits(path, chunk), expected);
        expect(difference).toBeLessThan(tolerances[quantization]);
      }
    },
  );
});
