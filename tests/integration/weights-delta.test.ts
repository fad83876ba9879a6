import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WeightsOperation } from '../../src/main/weights/messages.ts';
import { planWeights } from '../../src/main/weights/operations/index.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';
import { readFloats } from '../../src/main/weights/tensors/floats.ts';
import { run } from '../support/command.ts';
import { buildTinyModel } from '../support/models.ts';
import { runHere, tensorHashes } from '../support/weights.ts';

const fixtures = 'tests/fixtures/weights/delta';
const [base, target] = [join(fixtures, 'base'), join(fixtures, 'target')];
let folder: string;
let expected: Record<'applied' | 'delta' | 'target' | 'vicuna-v0' | 'alpaca', Record<string, string>> & {
  'alpaca-sum': number;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-delta-'));
  expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8')) as typeof expected;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const apply = (delta: string, out: string, more: Partial<WeightsOperation> = {}) =>
  ({
    kind: 'delta-apply',
    base,
    delta,
    out: join(folder, out),
    type: null,
    anyBase: false,
    ...more,
  }) as WeightsOperation;
const make = (out: string, compress = false): WeightsOperation => ({
  ...{ kind: 'delta-make', base, target, out: join(folder, out), compress },
});
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('A delta as FastChat makes it', () => {
  test('is applied with the bits of its apply_delta.py', async () => {
    await runHere(apply(join(fixtures, 'delta'), 'applied'));
    expect(await tensorHashes(join(folder, 'applied'))).toEqual(expected.applied);
  });

  test('is made with the bits of its make_delta.py', async () => {
    await runHere(make('made'));
    expect(await tensorHashes(join(folder, 'made'))).toEqual(expected.delta);
  });

  test('brings the tokenizer and the configuration', async () => {
    await runHere(apply(join(fixtures, 'vicuna-v0'), 'longer'));
    const { vocab_size: size } = JSON.parse(
      await readFile(join(folder, 'longer', 'config.json'), 'utf8'),
    ) as {
      vocab_size: number;
    };
    const { vocab_size: baseSize } = JSON.parse(await readFile(join(base, 'config.json'), 'utf8')) as {
      vocab_size: number;
    };
    expect(size).toBe(baseSize + 1);
    expect(await tensorHashes(join(folder, 'longer'))).toEqual(expected['vicuna-v0']);
  });

  test('says how much each layer changes', async () => {
    const { changes } = await runHere(apply(join(fixtures, 'delta'), 'changes'));
    expect(changes.map(({ layer }) => layer)).toEqual([0, 1, null]);
    await using source = await openModelSource(base);
    await using delta = await openModelSource(join(fixtures, 'delta'));
    const norm = async (from: typeof source, layer: number) => {
      let sum = 0;
      for (const [name, tensor] of from.tensors) {
        if (!name.startsWith(`model.layers.${layer}.`)) continue;
        const count = tensor.shape.reduce((product, length) => product * length, 1);
        for (const value of await readFloats(tensor, 0, count)) sum += value * value;
      }
      return Math.sqrt(sum);
    };
    expect(changes[1]?.change).toBeCloseTo((await norm(delta, 1)) / (await norm(source, 1)), 5);
  });
});

describe("A delta as Alpaca's weight_diff.py makes it", () => {
  test('takes the mean of all rows for the token that the base does not have', async () => {
    const { proof } = await runHere(apply(join(fixtures, 'alpaca'), 'alpaca'));
    const {
      'lm_head.weight': head,
      'model.embed_tokens.weight': embedding,
      ...others
    } = await tensorHashes(join(folder, 'alpaca'));
    // PyTorch adds up the rows in another order, which the last bit of a mean may show.
    expect(Object.keys(expected.alpaca)).toEqual(expect.arrayContaining(Object.keys(others)));
    for (const [name, hash] of Object.entries(others)) expect(hash, name).toBe(expected.alpaca[name]);
    expect([head, embedding]).not.toContain(undefined);
    expect(Number(/[\d.]+(?=\.$)/.exec(proof.text)?.[0])).toBeCloseTo(expected['alpaca-sum'], 3);
  });
});

describe("A delta of Puna's own", () => {
  test.each([
    ['as it is', false],
    ['packed', true],
  ])('%s gives the target back, bit for bit, and proves it', async (name, compress) => {
    await runHere(make(name, compress));
    const { proof } = await runHere(apply(join(folder, name), `${name} applied`));
    expect(await tensorHashes(join(folder, `${name} applied`))).toEqual(expected.target);
    expect(proof.kind).toBe('hashes');
    const files = await readdir(join(folder, name));
    expect(files.some((file) => file.endsWith('.zst'))).toBe(compress);
  });

  test('is exact where the difference of floats is not: a weight that turns its sign', async () => {
    const far = join(folder, 'far.gguf');
    const near = join(folder, 'near.gguf');
    await buildTinyModel(near, { seed: 1 });
    await buildTinyModel(far, { seed: 2 });
    const delta = join(folder, 'far-delta.gguf');
    const applied = join(folder, 'far-applied.gguf');
    await runHere({ kind: 'delta-make', base: near, target: far, out: delta, compress: false });
    await runHere({ kind: 'delta-apply', base: near, delta, out: applied, type: null, anyBase: false });
    expect(await tensorHashes(applied)).toEqual(await tensorHashes(far));
  });

  test('is refused on another base, and nothing is left', async () => {
    await runHere(make('for-another'));
    const wrong = join(folder, 'wrong-base');
    await cp(base, wrong, { recursive: true });
    const weights = await readFile(join(wrong, 'model.safetensors'));
    weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 1;
    await writeFile(join(wrong, 'model.safetensors'), weights);
    const operation = apply(join(folder, 'for-another'), 'refused', { base: wrong });
    await expect(runHere(operation)).rejects.toThrow(/is not the base that this delta was made from/);
    expect((await readdir(folder)).filter((name) => name.includes('refused'))).toEqual([]);
    const { proof } = await runHere({ ...operation, anyBase: true } as WeightsOperation);
    expect(proof.kind).toBe('exact');
  });

  test('that was damaged is refused', async () => {
    await runHere(make('damaged'));
    const path = join(folder, 'damaged', 'model.safetensors');
    const weights = await readFile(path);
    weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 0x10;
    await writeFile(path, weights);
    await expect(runHere(apply(join(folder, 'damaged'), 'from-damaged'))).rejects.toThrow(/damaged/);
    expect(existsSync(join(folder, 'from-damaged'))).toBe(false);
  });
});

describe('A lone file of a delta', () => {
  test('is proved by what lies beside it', async () => {
    await runHere(make('beside'));
    const operation = apply(join(folder, 'beside', 'model.safetensors'), 'from-lone');
    const { proof } = await runHere(operation);
    expect(proof.kind).toBe('hashes');
    expect(await tensorHashes(join(folder, 'from-lone'))).toEqual(expected.target);
  });
});

describe('While it is written', () => {
  test.each([
    ['one by one', false],
    ['packed', true],
  ])('tensors %s count as soon as they are there, and never more than all', async (name, compress) => {
    const shares: number[] = [];
    await runHere(make(`progress ${name}`, compress), {
      emit: (event) => event.type === 'progress' && shares.push(event.done / event.total),
    });
    expect(shares.filter((share) => share > 0.1 && share < 0.9).length).toBeGreaterThan(2);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.at(-1)).toBe(1);
  });

  test('a GGUF file can lie in the folder that it is made of, and is gone on with there', async () => {
    const model = join(folder, 'into-itself');
    await cp(target, model, { recursive: true });
    // As macOS leaves them on other systems' disks.
    await writeFile(join(model, '._model.safetensors'), 'no weights');
    const operation: WeightsOperation = {
      ...{ kind: 'convert', from: model, out: join(model, 'model.gguf'), type: 'F16' },
    };
    const controller = new AbortController();
    const stopping = runHere(operation, { signal: controller.signal, emit: () => controller.abort() });
    await expect(stopping).rejects.toThrow();
    expect((await readdir(model)).filter((name) => name.startsWith('.model.gguf')).length).toBeGreaterThan(0);
    await runHere(operation);
    expect((await readdir(model)).filter((name) => name.startsWith('.model'))).toEqual([]);
    await runHere({ ...operation, from: target, out: join(folder, 'elsewhere.gguf') });
    expect(await tensorHashes(operation.out)).toEqual(await tensorHashes(join(folder, 'elsewhere.gguf')));
  });
});

describe('Between layouts', () => {
  test('a base in GGUF and a delta in safetensors make a GGUF model with the bits of the target', async () => {
    const baseGguf = join(folder, 'base.gguf');
    await runHere({ kind: 'convert', from: base, out: baseGguf, type: 'f16' });
    await runHere({ kind: 'convert', from: target, out: join(folder, 'target.gguf'), type: 'f16' });
    await runHere(make('mixed'));
    const { proof } = await runHere({
      ...{
        kind: 'delta-apply',
        base: baseGguf,
        delta: join(folder, 'mixed'),
        out: join(folder, 'result.gguf'),
      },
      ...{ type: null, anyBase: false },
    });
    expect(proof.kind).toBe('hashes');
    expect(await tensorHashes(join(folder, 'result.gguf'))).toEqual(
      await tensorHashes(join(folder, 'target.gguf')),
    );
  });

  test('a result is quantized as it is asked for', async () => {
    const out = join(folder, 'small.gguf');
    const { proof } = await runHere(apply(join(fixtures, 'delta'), 'small.gguf', { type: 'Q8_0' }));
    expect(proof.text).toMatch(/The weights were then stored as Q8_0\.$/);
    await using source = await openModelSource(out);
    expect(source.tensors.get('model.layers.0.mlp.gate_proj.weight')?.type.name).toBe('F16');
    expect(source.tensors.get('model.layers.0.mlp.down_proj.weight')?.type.name).toBe('Q8_0');
  });
});

describe("Open Assistant's files", () => {
  test('are XORed with those of the base, packed or not', async () => {
    const phases: number[] = [];
    await runHere(apply(join(fixtures, 'xor'), 'xor'), {
      emit: (event) => event.type === 'progress' && phases.push(event.done / event.total),
    });
    // After each piece and each file.
    expect(phases.length).toBeGreaterThan((await readdir(target)).length);
    expect(phases.at(-1)).toBe(1);
    for (const file of await readdir(target)) {
      const [made, wanted] = await Promise.all([
        readFile(join(folder, 'xor', file)),
        readFile(join(target, file)),
      ]);
      expect(sha256(made), file).toBe(sha256(wanted));
    }
    const packed = join(folder, 'packed-xor');
    await cp(join(fixtures, 'xor'), packed, { recursive: true });
    const path = join(packed, 'model.safetensors');
    await writeFile(path, gzipSync(await readFile(path)));
    await runHere(apply(packed, 'unpacked'));
    expect(await tensorHashes(join(folder, 'unpacked'))).toEqual(expected.target);
  });

  test('that were cut off while they were packed are refused, by name', async () => {
    const cut = join(folder, 'cut-xor');
    await cp(join(fixtures, 'xor'), cut, { recursive: true });
    const path = join(cut, 'model.safetensors');
    const packed = gzipSync(await readFile(path));
    await writeFile(path, packed.subarray(0, packed.byteLength / 2));
    await expect(runHere(apply(cut, 'from-cut'))).rejects.toMatchObject({
      code: 'file-damaged',
      message: `${path} cannot be unpacked.`,
    });
  });

  test('that belong to another base are refused', async () => {
    const wrong = join(folder, 'xor-base');
    await cp(base, wrong, { recursive: true });
    const bytes = await readFile(join(wrong, 'model.safetensors'));
    await writeFile(
      join(wrong, 'model.safetensors'),
      bytes.map((byte, index) => (index < 100 ? byte ^ 7 : byte)),
    );
    const operation = apply(join(fixtures, 'xor'), 'no-model', { base: wrong });
    await expect(runHere(operation)).rejects.toThrow(/What comes out is no model/);
    expect((await readdir(folder)).filter((name) => name.includes('no-model'))).toEqual([]);
  });
});

describe('Bad input', () => {
  test('models of other shapes are refused, with tensor and shapes', async () => {
    const other = join(folder, 'other.gguf');
    await buildTinyModel(other);
    const operation = apply(join(fixtures, 'delta'), 'unlike', { base: other });
    await expect(runHere(operation)).rejects.toThrow(/which .* does not have|has the shape/);
  });

  test('an output that is an input is refused', async () => {
    const path = join(folder, 'same');
    await cp(base, path, { recursive: true });
    await expect(runHere({ ...make('x'), base: path, out: path } as WeightsOperation)).rejects.toThrow(
      /read and written at once/,
    );
  });

  test('an output that is there is refused', async () => {
    await writeFile(join(folder, 'there.gguf'), 'mine');
    await expect(runHere(apply(join(fixtures, 'delta'), 'there.gguf'))).rejects.toThrow(/is there already/);
    expect(await readFile(join(folder, 'there.gguf'), 'utf8')).toBe('mine');
  });
});

describe('Before it begins', () => {
  test('a plan tells the size of the result, which it then has', async () => {
    const operation = apply(join(fixtures, 'delta'), 'planned.gguf', { type: 'F16' });
    const plan = await planWeights(operation);
    expect((await runHere(operation)).bytes).toBeGreaterThanOrEqual(plan.bytes);
    expect((await readFile(join(folder, 'planned.gguf'))).byteLength).toBeLessThan(plan.bytes + 1000);
  });
});

describe('puna delta', () => {
  test('makes and applies, in JSON lines', async () => {
    const delta = join(folder, 'cli-delta');
    const made = await run(['delta', 'make', '--base', base, '--target', target, '--out', delta, '--json']);
    expect(made.status).toBe(0);
    const out = join(folder, 'cli.gguf');
    const applied = await run(['delta', 'apply', '--base', base, '--delta', delta, '--out', out, '--json']);
    expect(applied.stderr.replaceAll(/^load_backend.*\n/gm, '')).toBe('');
    expect(applied.status).toBe(0);
    const lines = applied.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; proof?: { kind: string }; firstWords?: string });
    expect(lines.at(-1)).toMatchObject({ type: 'result', out, proof: { kind: 'hashes' } });
    expect(typeof lines.at(-1)?.firstWords).toBe('string');
    expect(lines.some(({ type }) => type === 'progress')).toBe(true);
  });

  test('says what is wrong in one line', async () => {
    const words = ['delta', 'apply', '--base', base, '--delta', '/nowhere', '--out', join(folder, 'none')];
    const { status, stderr } = await run(words);
    expect(status).toBe(1);
    expect(stderr.trim()).toBe(
      'puna: There is no file or folder /nowhere. Check the path, and that the disk it is on is connected.',
    );
    expect((await run(['delta', 'apply', '--base', base])).status).toBe(2);
  });
});
