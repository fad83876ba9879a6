import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { formatInspection, inspect } from '../../src/main/weights/inspect.ts';
import { buildTinyAdapter, buildTinyModel, tinyShape } from '../support/models.ts';
import { sampleGguf } from '../support/tiny-gguf.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-inspect-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('inspecting', () => {
  it('says what a model is', async () => {
    const path = await buildTinyModel(join(folder, 'model.gguf'), {
      tensorType: 'Q8_0',
      vocabularySize: 1024,
    });
    const inspection = await inspect(path);
    const { embedding: width, heads, kvHeads, feedForward, layers } = tinyShape;
    const kv = (width / heads) * kvHeads;
    const matrices =
      2 * 1024 * width + layers * (2 * width * width + 2 * width * kv + 3 * width * feedForward);
    const norms = width * (2 * layers + 1);
    expect(inspection).toMatchObject({
      ...{
        path,
        kind: 'model',
        architecture: 'llama',
        title: 'Tiny',
        quantization: 'Q8_0',
        contextLength: 2048,
      },
      ...{ hasChatTemplate: true, parts: 1, ggufVersion: 3, parameters: matrices + norms },
      tensorTypes: [
        { type: 'Q8_0', tensors: 16, parameters: matrices, bytes: (matrices / 32) * 34 },
        { type: 'F32', tensors: 5, parameters: norms, bytes: norms * 4 },
      ],
    });
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
  });

  it('says what an adapter is', async () => {
    const inspection = await inspect(await buildTinyAdapter(join(folder, 'adapter.gguf')));
    expect(inspection).toMatchObject({ kind: 'adapter', architecture: 'llama', quantization: 'F32' });
    expect(inspection.metadata).toContainEqual({ key: 'adapter.lora.alpha', type: 'float32', value: '8' });
  });

  it('names the type that most bytes have where the file names none', async () => {
    const path = join(folder, 'sample.gguf');
    await writeGguf(path, sampleGguf());
    expect(await inspect(path)).toMatchObject({
      quantization: 'Q4_K',
      contextLength: null,
      hasChatTemplate: false,
    });
  });

  it('takes no number for a context that cannot be one', async () => {
    const path = join(folder, 'context.gguf');
    for (const value of [NaN, -1, 0.5, Infinity]) {
      const metadata = new Map([
        ['general.architecture', { type: 'string', value: 'llama' } as const],
        ['llama.context_length', { type: 'float64', value } as const],
        ['split.count', { type: 'float64', value } as const],
      ]);
      await writeGguf(path, { metadata, tensors: [] });
      expect(await inspect(path)).toMatchObject({ contextLength: null, parameters: null, parts: 1 });
    }
  });

  it('prints a table for people', async () => {
    const path = await buildTinyModel(join(folder, 'model.gguf'), {
      tensorType: 'F16',
      name: 'A\u001b[31mB\nC',
    });
    const text = formatInspection(await inspect(path));
    expect(text).toMatch(/^File +\/.*model\.gguf$/m);
    // Nothing of the file reaches the terminal as a command.
    expect(text).toMatch(/^Name +A \[31mB C$/m);
    expect(text).toMatch(/^Parameters +\d+ K$/m);
    expect(text).toMatch(/^Context +2048 tokens$/m);
    expect(text).toMatch(/^ {2}tokenizer\.ggml\.tokens +string\[\] +\["<unk>", .*…$/m);
    expect(text).toMatch(/^Tensors \(21\)\n {2}F16 +16 tensors +\d+ K parameters +\d+ KB$/m);
  });
});
