import { cp, open, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/shell.ts';
import { modelAt, pulled, sha256Of, Shelves } from '../support/shelves.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let shelves: Shelves;
const path = (...names: string[]) => join(temporary.folder, ...names);

beforeEach(async () => {
  temporary = await temporaryFolder();
  shelves = new Shelves(temporary.folder);
});
afterEach(async () => {
  await shelves.close();
  await temporary.remove();
});

/** As a disk does that wears out: nothing else of the file shows it. */
async function flipBit(file: string): Promise<void> {
  const { atime, mtime, mtimeMs, size } = await stat(file);
  const handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size - 100);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, size - 100);
  await handle.close();
  await utimes(file, atime, mtime);
  // Of whole milliseconds, which files are given by hand before.
  expect((await stat(file)).mtimeMs).toBe(mtimeMs);
}

async function steady(file: string): Promise<string> {
  const time = new Date(1_700_000_000_000);
  await utimes(file, time, time);
  return file;
}

describe('a check', () => {
  it('tells how far it is, and what SHA-256 a file has', async () => {
    const file = await modelAt(path('a.gguf'));
    const { id } = await shelves.library.add({ path: file });
    const steps = [];
    for await (const step of shelves.verifier.verify(id)) steps.push(step);
    const { size } = await stat(file);
    expect(steps.at(-1)).toMatchObject({ bytes: size, total: size });
    expect(steps.map(({ bytes }) => bytes)).toEqual(
      steps.map(({ bytes }) => bytes).toSorted((a, b) => a - b),
    );
    const verified = { result: 'recorded', sha256: await sha256Of(file), damaged: [] };
    expect((await shelves.library.get(id)).verified).toMatchObject(verified);
    await expect.poll(() => shelves.told.at(-1)).toMatchObject([{ id, verified }]);
    expect(await shelves.verify(id)).toMatchObject({ ...verified, result: 'unchanged' });
  });

  it('finds a flipped bit that neither size nor time shows', async () => {
    const file = await steady(await modelAt(path('a.gguf')));
    const { id } = await shelves.library.add({ path: file });
    await shelves.verify(id);
    await flipBit(file);
    const damaged = { result: 'damaged', damaged: ['a.gguf'] };
    expect(await shelves.verify(id)).toMatchObject(damaged);
    // And does not get used to it.
    expect(await shelves.verify(id)).toMatchObject(damaged);
  });

  it('compares with what the publisher says, whatever the file was at an earlier check', async () => {
    const file = await modelAt(path('a.gguf'));
    const sha256 = await sha256Of(file);
    const { id } = await shelves.library.add({ path: file, sha256 });
    expect(await shelves.verify(id)).toMatchObject({ result: 'confirmed', sha256 });
    const handle = await open(file, 'r+');
    await handle.write(Buffer.of(1, 2, 3), 0, 3, 150_000);
    await handle.close();
    expect(await shelves.verify(id)).toMatchObject({ result: 'damaged' });
  });

  it('finds that a blob of another program is not what its name says', async () => {
    const blob = await pulled(path('home', '.ollama', 'models'), {
      name: ['registry.ollama.ai', 'library', 'one', 'latest'],
      from: await modelAt(path('a')),
    });
    await shelves.show(true);
    expect(await shelves.verify(1)).toMatchObject({ result: 'confirmed' });
    await truncate(blob, (await stat(blob)).size - 1);
    expect(await shelves.verify(1)).toMatchObject({ result: 'damaged' });
  });

  it('is forgotten when the file has changed', async () => {
    const file = await modelAt(path('a.gguf'));
    const { id } = await shelves.library.add({ path: file });
    await shelves.verify(id);
    await modelAt(file, 2);
    expect((await shelves.library.add({ path: file })).verified).toBeNull();
    expect(await shelves.verify(id)).toMatchObject({ result: 'recorded' });
  });

  it('reads all files of a folder, and names the one that is not what it was', async () => {
    await buildTinyFolder(path('data', 'models', 'base'));
    await shelves.look();
    const [{ id = 0 } = {}] = (await shelves.folders.state()).weights;
    const weights = await steady(path('data', 'models', 'base', 'model.safetensors'));
    expect(await shelves.verify(id)).toMatchObject({ result: 'recorded', sha256: null });
    expect(await shelves.verify(id)).toMatchObject({ result: 'unchanged' });
    await flipBit(weights);
    expect(await shelves.verify(id)).toMatchObject({ result: 'damaged', damaged: ['model.safetensors'] });
  });

  it('of a file that is gone says so, and one that a caller leaves ends', async () => {
    const file = await modelAt(path('a.gguf'));
    const { id } = await shelves.library.add({ path: file });
    // Large enough to be left in the middle; its end is a hole.
    await cp(file, path('large.gguf'));
    const large = await shelves.library.add({ path: path('large.gguf') });
    await truncate(path('large.gguf'), 8 * 2 ** 30);
    for await (const { verified } of shelves.verifier.verify(large.id)) {
      expect(verified).toBeNull();
      break;
    }
    const stopped = new AbortController();
    stopped.abort();
    await expect(shelves.verifier.verify(large.id, stopped.signal).next()).rejects.toThrow();
    expect((await shelves.library.get(large.id)).verified).toBeNull();
    await writeFile(path('b'), '');
    await cp(path('b'), file);
    await shelves.library.rename(id, 'A');
    expect(await shelves.verify(id)).toMatchObject({ result: 'recorded' });
    await expect(shelves.verify(99)).rejects.toMatchObject({ code: 'not-found' });
  });
});
