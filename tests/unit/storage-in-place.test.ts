import { cp, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InPlace } from '../../src/main/storage/in-place.ts';

let above: string;
let folder: string;
let file: string;
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'puna-in-place-'));
  folder = join(above, 'data');
  file = join(folder, 'puna.db');
  await mkdir(folder);
  await writeFile(file, 'Open.');
});
afterEach(() => rm(above, { recursive: true, force: true }));

/** Follows the file while it is open; nothing is looked at by itself unless that is wanted. */
async function following(pauseMs = 600_000) {
  const told: boolean[] = [];
  const changed = Promise.withResolvers<boolean>();
  const handle = await open(file, 'r+');
  const inPlace = new InPlace(file, {
    pauseMs,
    onChange(isThere) {
      told.push(isThere);
      changed.resolve(isThere);
    },
  });
  const end = () => {
    inPlace.close();
    return handle.close();
  };
  return { inPlace, told, changed: changed.promise, end };
}

// Windows lets nobody take away what is open.
describe.skipIf(process.platform === 'win32')('a file that is open', () => {
  test('is in its place as long as it is written to', async () => {
    const { inPlace, told, end } = await following();
    await writeFile(file, 'Written to.');
    expect([await inPlace.look(), told]).toEqual([true, []]);
    await end();
  });

  test('is missed where its folder was deleted, once, without being asked for', async () => {
    const { inPlace, told, changed, end } = await following(1);
    await rm(folder, { recursive: true });
    expect(await changed).toBe(false);
    for (let looks = 0; looks < 3; looks++) expect(await inPlace.look()).toBe(false);
    expect([inPlace.isThere, told]).toEqual([false, [false]]);
    await end();
  });

  test('is missed where its folder was moved, until that is back', async () => {
    const { inPlace, told, end } = await following();
    await rename(folder, `${folder} elsewhere`);
    expect(await inPlace.look()).toBe(false);
    await rename(`${folder} elsewhere`, folder);
    expect(await inPlace.look()).toBe(true);
    expect(told).toEqual([false, true]);
    await end();
  });

  test('is missed where a copy lies in its place', async () => {
    const { inPlace, end } = await following();
    await cp(folder, `${folder} copy`, { recursive: true });
    await rm(folder, { recursive: true });
    await rename(`${folder} copy`, folder);
    expect(await inPlace.look()).toBe(false);
    await end();
  });

  test('is told of no more once nobody follows it', async () => {
    const { inPlace, told, end } = await following();
    await end();
    await rm(folder, { recursive: true });
    await inPlace.look();
    expect(told).toEqual([]);
  });
});
