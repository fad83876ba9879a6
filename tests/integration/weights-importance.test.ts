import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChildProcess } from '../../src/main/engine/index.ts';
import { importanceOnce } from '../../src/main/runs/importance-once.ts';
import type { ImportanceEvent, ImportanceInput } from '../../src/main/training/messages.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { meansOf } from '../../src/main/weights/quantize/importance-matrix.ts';
import { readImportanceMatrix } from '../../src/main/weights/quantize/importance-reader.ts';
import { run } from '../support/command.ts';
import { importanceContext, importanceVariants, writeImportanceText } from '../support/importance.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture, type TinyVariant, tinyVariants } from '../support/tiny-architectures.ts';

const fixtures = join(import.meta.dirname, '../fixtures/weights/quantize');
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string) => join(folder.folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeImportanceText(at('text.txt'));
});
afterAll(() => folder.remove());

/** Computes an importance matrix in an engine, as the command line does. */
async function compute(
  model: string,
  rest: Partial<ImportanceInput> = {},
  signal = new AbortController().signal,
) {
  const events: ImportanceEvent[] = [];
  const result = await importanceOnce(
    {
      ...{ model, text: at('text.txt'), out: at('imatrix.gguf'), context: importanceContext, chunks: null },
      ...{ threads: 1, device: 'cpu', processOutput: false, ...rest },
    },
    { launchEngine: launchChildProcess, signal, onEvent: (event) => events.push(event) },
  );
  return { ...result, events, matrix: await readImportanceMatrix(result.path) };
}

describe('an importance matrix', () => {
  test.each(importanceVariants)("of %s has the sums of llama.cpp's own tool", async (variant) => {
    const model = await buildTinyArchitecture(at('model.gguf'), variant);
    const { matrix, events, chunks, tokens } = await compute(model, { processOutput: true });
    const expected = await readImportanceMatrix(join(fixtures, `${variant}.imatrix.gguf`));

    expect({ chunks, tokens }).toEqual({ chunks: 11, tokens: 11 * importanceContext });
    expect({ ...matrix, entries: [...matrix.entries.keys()].toSorted() }).toEqual({
      ...expected,
      entries: [...expected.entries.keys()].toSorted(),
    });
    for (const [name, { sums, counts }] of expected.entries) {
      const found = matrix.entries.get(name);
      expect(found?.counts).toEqual(counts);
      const differences = sums.map((sum, index) => Math.abs((found?.sums[index] ?? NaN) / sum - 1));
      // llama.cpp adds up in 32 bits. Measured: 3e-6.
      expect(Math.max(...differences), name).toBeLessThan(1e-5);
    }
    expect(events.filter(({ type }) => type === 'chunk')).toEqual(
      Array.from({ length: 11 }, (_, index) => ({ type: 'chunk', chunk: index + 1, chunks: 11 })),
    );
  });

  test.each(Object.keys(tinyVariants) as TinyVariant[])(
    'of %s knows every matrix of its layers',
    async (variant) => {
      const model = await buildTinyArchitecture(at('model.gguf'), variant, 'Q8_0');
      const { matrix } = await compute(model, { chunks: 2 });
      const matrices = (await readModelFile(model)).tensors.filter(
        ({ name, shape }) => shape.length === 2 && name.startsWith('blk.'),
      );
      expect(Object.fromEntries([...matrix.entries].map(([name, { sums }]) => [name, sums.length]))).toEqual(
        Object.fromEntries(matrices.map(({ name, shape }) => [name, shape[0]])),
      );
      expect(matrix).toMatchObject({ datasets: ['text.txt'], chunks: 2, chunkTokens: importanceContext });
      for (const entry of matrix.entries.values()) expect(Math.min(...meansOf(entry))).toBeGreaterThan(0);
    },
  );

  test('is refused for a text that is too short, missing or none, and for architectures that Puna cannot run', async () => {
    const model = await buildTinyArchitecture(at('model.gguf'), 'llama');
    await writeFile(at('short.txt'), 'Once upon a time.');
    await writeFile(at('binary.txt'), Buffer.alloc(5000));
    await expect(compute(model, { text: at('short.txt') })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(
        /short\.txt has \d+ tokens, and an importance matrix is computed from pieces of 64\.$/,
      ),
    });
    await expect(compute(model, { text: at('none.txt') })).rejects.toMatchObject({ code: 'file-missing' });
    await expect(compute(model, { text: at('binary.txt') })).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(compute(model, { out: model })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('that is stopped leaves no file', async () => {
    const model = await buildTinyArchitecture(at('model.gguf'), 'llama');
    const controller = new AbortController();
    controller.abort();
    await expect(compute(model, { out: at('stopped.gguf') }, controller.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(existsSync(at('stopped.gguf'))).toBe(false);
  });
});

describe('puna quantize', () => {
  test('computes an importance matrix from a text, keeps it where it is told to, and quantizes with it', async () => {
    const model = await buildTinyArchitecture(at('model.gguf'), 'llama');
    const [out, imatrix] = [at('small.gguf'), at('kept.gguf')];
    const words = ['--type', 'iq2_xxs', '--imatrix-text', at('text.txt'), '--imatrix-out', imatrix];
    const { status, stdout, stderr } = await run([
      ...['quantize', model, out, ...words, '--context', '64', '--threads', '1', '--json'],
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['loading', 'chunk', 'plan', 'result']),
    );
    expect(events.at(-1)).toMatchObject({ type: 'result', path: out, fallbacks: 0, withoutImportance: 0 });
    expect((await readModelFile(out)).quantization).toBe('IQ2_XXS');
    expect((await readImportanceMatrix(imatrix)).chunks).toBe(11);

    const again = await run(['quantize', model, at('again.gguf'), '--type', 'IQ2_XXS', '--imatrix', imatrix]);
    expect(again).toMatchObject({ status: 0, stderr: '' });
    expect(again.stdout).toMatch(/^IQ2_XXS: 0\.\d MB, \d+% of what it was\.\n.*again\.gguf\n$/);
  });

  test('says what is wrong in one line, and lists the types for one that it does not know', async () => {
    const model = await buildTinyArchitecture(at('model.gguf'), 'llama');
    const starved = await run(['quantize', model, at('none.gguf'), '--type', 'IQ1_S']);
    expect(starved.status).toBe(1);
    expect(starved.stderr).toMatch(/^puna: IQ1_S needs an importance matrix.* --imatrix-text.*\n$/);
    const unknown = await run(['quantize', model, at('none.gguf'), '--type', 'Q4_K_XL']);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toMatch(/It must be one of these:\n {2}Q4_K_M +4\.89 bits {2}The usual choice/);
    const both = await run(['quantize', model, at('none.gguf'), '--imatrix', 'a', '--imatrix-text', 'b']);
    expect(both.status).toBe(2);
    expect(existsSync(at('none.gguf'))).toBe(false);
  });
});
