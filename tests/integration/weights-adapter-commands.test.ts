import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdapter } from '../../src/main/weights/adapters/index.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';
import { adapterFixture, lastLogits, numbersOf } from '../support/adapter-fixtures.ts';
import { run as puna } from '../support/command.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { relativeDifference } from '../support/training.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let inFolder: (name: string) => string;
let model: string;
let adapter: string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  inFolder = (name) => join(temporary.folder, name);
  model = await buildTinyModel(inFolder('model.gguf'));
  adapter = await buildTinyAdapter(inFolder('adapter.gguf'));
});
afterAll(() => temporary.remove());

const tokens = [5, 300, 420, 17, 600];

/** The last line that a command prints with --json. */
async function result(words: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await puna([...words, '--json']);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

describe('puna adapter', () => {
  test('merge makes a model that says what the model says with the adapter beside it, and tells each layer', async () => {
    const out = inFolder('merged.gguf');
    const told = await result(['adapter', 'merge', '--base', model, '--adapter', adapter, '--out', out]);
    expect(told).toMatchObject({ type: 'result', out, proof: { kind: 'exact' }, notes: [] });
    expect((told['changes'] as { layer: number }[]).map(({ layer }) => layer)).toEqual([0, 1]);
    expect(relativeDifference(lastLogits(out, tokens), lastLogits(model, tokens, adapter))).toBeLessThan(
      5e-6,
    );
    const { kind } = await readModelFile(out);
    expect(kind).toBe('model');
  });

  test('merge takes scales, and stores the result as it is told', async () => {
    const out = inFolder('none.gguf');
    await result([
      'adapter',
      'merge',
      '--base',
      model,
      '--adapter',
      `${adapter}:0`,
      '--out',
      out,
      '--type',
      'f16',
    ]);
    expect((await readModelFile(out)).quantization).toBe('F16');
    expect(relativeDifference(lastLogits(out, tokens), lastLogits(model, tokens))).toBeLessThan(1e-2);
  });

  test('export and import give the same file again', async () => {
    const [folder, back] = [inFolder('exported'), inFolder('back.gguf')];
    expect(await result(['adapter', 'export', adapter, '--base', model, '--out', folder])).toMatchObject({
      out: folder,
    });
    await result(['adapter', 'import', folder, '--out', back]);
    expect(await readFile(back)).toEqual(await readFile(adapter));
  });

  test('import takes what PEFT has saved', async () => {
    const out = inFolder('imported.gguf');
    await result([
      'adapter',
      'import',
      adapterFixture('llama-lora'),
      '--base',
      adapterFixture('llama'),
      '--out',
      out,
    ]);
    await using stored = await openAdapter(out);
    expect(stored).toMatchObject({ architecture: 'llama', rank: 4, alpha: 8, baseName: 'tiny/llama' });
  });

  test('extract makes an adapter that says how near it comes', async () => {
    const [base, target, out] = [
      adapterFixture('llama'),
      adapterFixture('llama-tuned'),
      inFolder('extracted.gguf'),
    ];
    const told = await result([
      'adapter',
      'extract',
      '--base',
      base,
      '--target',
      target,
      '--rank',
      '8',
      '--out',
      out,
    ]);
    expect(told).toMatchObject({
      proof: {
        kind: 'none',
        text: expect.stringMatching(/leaves out is \d+(\.\d+)? % of the difference/) as string,
      },
      notes: [expect.stringContaining('leaves out'), expect.stringContaining('"model.embed_tokens.weight"')],
    });
    await using source = await openModelSource(base);
    await using stored = await openAdapter(out, { base: source });
    const { a, b } = stored.modules.get('model.layers.1.mlp.up_proj.weight') ?? {};
    expect([(await numbersOf(a)).length, (await numbersOf(b)).length]).toEqual([8 * 32, 48 * 8]);
  });

  test('refuses in one line what does not fit, and wrong words', async () => {
    const wide = await buildTinyAdapter(inFolder('wide.gguf'), { shape: { feedForward: 256 } });
    expect(
      await puna(['adapter', 'merge', '--base', model, '--adapter', wide, '--out', inFolder('no.gguf')]),
    ).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        'puna: wide.gguf changes "blk.0.ffn_gate.weight" of 64 × 256, which is of 64 × 128 in this model.',
      ) as string,
    });
    expect(
      await puna(['adapter', 'import', adapterFixture('llama-lora'), '--out', inFolder('folder')]),
    ).toMatchObject({ status: 2 });
    expect(await puna(['adapter', 'export', adapter, '--out', inFolder('file.gguf')])).toMatchObject({
      status: 2,
    });
  });
});
