import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WeightsOperation } from '../../src/main/weights/messages.ts';
import { begunOutputBytes, refuseWithoutSpace } from '../../src/main/weights/operations/output.ts';
import { signatureOf } from '../../src/main/weights/operations/signature.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-output-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('Before anything is written', () => {
  test('a result that the disk has no room for is refused, with both sizes', async () => {
    const wish = { out: join(folder, 'huge.gguf'), type: null };
    const size = { bytes: 4e18, neededBytes: 4e18, notes: [] };
    await expect(refuseWithoutSpace(wish, size)).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(
        /^huge\.gguf needs 4000000000\.00 GB, and the disk of .* has [\d.]+ GB left\.$/,
      ) as string,
    });
    expect(await readdir(folder)).toEqual([]);
    await refuseWithoutSpace(wish, { bytes: 1, neededBytes: 1, notes: [] });
  });

  test('a folder that is not there is named', async () => {
    const wish = { out: join(folder, 'nowhere', 'x.gguf'), type: null };
    const size = { bytes: 1, neededBytes: 1, notes: [] };
    await expect(refuseWithoutSpace(wish, size)).rejects.toThrow(/There is no file or folder .*nowhere/);
  });
});

test('What waits to be quantized counts as begun, so that its space is not asked for twice', async () => {
  const out = join(folder, 'waiting.gguf');
  expect(await begunOutputBytes(out)).toBeNull();
  await writeFile(join(folder, '.waiting.unquantized.gguf'), 'whole');
  expect(await begunOutputBytes(out)).toBe(5);
});

test('What is begun inside an input does not make it another one, but a changed part of it does', async () => {
  const model = join(folder, 'model');
  await mkdir(model);
  await writeFile(join(model, 'model.safetensors'), 'weights');
  const parts = [1, 2].map((part) => join(model, `split-0000${part}-of-00002.gguf`));
  for (const part of parts) await writeFile(part, 'part');
  const of = (from: string) => signatureOf({ kind: 'convert', from, out: join(model, 'x.gguf'), type: null });
  const [whole, split] = [await of(model), await of(parts[0] ?? '')];
  for (const name of ['.x.gguf.part', '.x.gguf.journal']) await writeFile(join(model, name), 'begun');
  expect(await of(model)).toBe(whole);
  expect(await of(parts[0] ?? '')).toBe(split);
  await writeFile(parts[1] ?? '', 'another');
  expect(await of(parts[0] ?? '')).not.toBe(split);
  expect(await of(model)).not.toBe(whole);
});

test('What was begun is gone on with only where inputs and wishes are the same', async () => {
  const from = join(folder, 'in.gguf');
  await writeFile(from, 'one');
  const operation: WeightsOperation = { kind: 'convert', from, out: join(folder, 'out.gguf'), type: 'F16' };
  const first = await signatureOf(operation);
  expect(await signatureOf({ ...operation })).toBe(first);
  expect(await signatureOf({ ...operation, type: 'BF16' })).not.toBe(first);
  await writeFile(from, 'other');
  expect(await signatureOf(operation)).not.toBe(first);
});
