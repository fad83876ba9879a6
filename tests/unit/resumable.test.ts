import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  begunBytes,
  begunFolderBytes,
  discardBegun,
  discardBegunFolder,
  type FolderFile,
  type Unit,
  writeFolderResumably,
  writeResumably,
} from '../../src/main/storage/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-resumable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Units of three bytes, each told when it is made; the one at `failing` fails in its middle. */
function units(count: number, { failing = -1, made = [] as number[] } = {}): Unit[] {
  return Array.from({ length: count }, (_, index) => ({
    bytes: 3,
    async *pieces(earlier) {
      expect(earlier).toEqual(Array.from({ length: index }, (__, before) => `result ${before}`));
      made.push(index);
      yield Buffer.from([65 + index]);
      if (index === failing) throw new Error('The source failed.');
      yield Buffer.from([66 + index, 67 + index]);
      return `result ${index}`;
    },
  }));
}
const whole = Buffer.from([65, 66, 67, 66, 67, 68, 67, 68, 69, 68, 69, 70]);
const often = { signature: 'same', flushEvery: 1 };

describe('A file that is written unit by unit', () => {
  test('appears whole, and gives the results of its units', async () => {
    const path = join(folder, 'file');
    const progress: number[] = [];
    const results = await writeResumably(path, units(4), {
      ...often,
      onProgress: (bytes) => progress.push(bytes),
    });
    expect(await readFile(path)).toEqual(whole);
    expect(results).toEqual(['result 0', 'result 1', 'result 2', 'result 3']);
    expect(progress.at(-1)).toBe(12);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('goes on behind the last whole unit after a failure', async () => {
    const path = join(folder, 'file');
    await expect(writeResumably(path, units(4, { failing: 2 }), often)).rejects.toThrow('The source failed.');
    expect(existsSync(path)).toBe(false);
    expect(await begunBytes(path)).toBeGreaterThanOrEqual(6);
    const made: number[] = [];
    await writeResumably(path, units(4, { made }), often);
    expect(made).toEqual([2, 3]);
    expect(await readFile(path)).toEqual(whole);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('begins anew where something else was begun, or what was begun is damaged', async () => {
    const path = join(folder, 'file');
    await expect(writeResumably(path, units(4, { failing: 2 }), often)).rejects.toThrow();
    const made: number[] = [];
    await writeResumably(path, units(4, { made }), { ...often, signature: 'other' });
    expect(made).toEqual([0, 1, 2, 3]);

    const second = join(folder, 'second');
    await expect(writeResumably(second, units(4, { failing: 3 }), often)).rejects.toThrow();
    await truncate(join(folder, '.second.part'), 2);
    const again: number[] = [];
    await writeResumably(second, units(4, { made: again }), often);
    expect(again).toEqual([0, 1, 2, 3]);
    expect(await readFile(second)).toEqual(whole);
  });

  test('keeps what was there until the new one is whole', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'mine');
    await expect(writeResumably(path, units(4, { failing: 1 }), often)).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('mine');
    await discardBegun(path);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('begins anew where a journal is left without its file, as after a kill between the last two steps', async () => {
    const path = join(folder, 'file');
    await expect(writeResumably(path, units(4, { failing: 2 }), often)).rejects.toThrow();
    await rename(join(folder, '.file.part'), path);
    await writeResumably(path, units(4), often);
    expect(await readFile(path)).toEqual(whole);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('goes on whatever process has the number of the one that began it', async () => {
    const path = join(folder, 'file');
    await expect(writeResumably(path, units(4, { failing: 2 }), often)).rejects.toThrow();
    const journal = join(folder, '.file.journal');
    const kept = JSON.parse(await readFile(journal, 'utf8')) as object;
    await writeFile(journal, JSON.stringify({ ...kept, process: process.ppid }));
    const made: number[] = [];
    await writeResumably(path, units(4, { made }), often);
    expect(made).toEqual([2, 3]);
  });

  test('ends the unit that it stops in', async () => {
    const path = join(folder, 'file');
    const controller = new AbortController();
    let ended = false;
    const open: Unit = {
      bytes: 2,
      async *pieces() {
        try {
          yield Buffer.from('a');
          controller.abort();
          yield Buffer.from('b');
          return '';
        } finally {
          ended = true;
        }
      },
    };
    await expect(writeResumably(path, [open], { ...often, signal: controller.signal })).rejects.toThrow();
    expect(ended).toBe(true);
  });

  test('stops when it is told to', async () => {
    const path = join(folder, 'file');
    const controller = new AbortController();
    const stopping = writeResumably(path, units(4), {
      ...{ ...often, signal: controller.signal },
      onProgress: (bytes) => bytes >= 5 && controller.abort(),
    });
    await expect(stopping).rejects.toThrow();
    expect(existsSync(path)).toBe(false);
  });

  test('makes units whose size was not known again', async () => {
    const path = join(folder, 'file');
    const open = (text: string, fails = false): Unit => ({
      bytes: null,
      async *pieces() {
        yield Buffer.from(text);
        if (fails) throw new Error('The source failed.');
        return text;
      },
    });
    const all = (fails: boolean) => [...units(2), open('one'), open('two', fails)];
    await expect(writeResumably(path, all(true), often)).rejects.toThrow('The source failed.');
    expect(await writeResumably(path, all(false), often)).toEqual(['result 0', 'result 1', 'one', 'two']);
    expect(await readFile(path, 'utf8')).toBe('ABCBCDonetwo');
  });

  test('has its beginning set right when the size of its end is known', async () => {
    const path = join(folder, 'file');
    const [first, ...others] = units(2);
    const last: Unit = {
      bytes: null,
      async *pieces() {
        yield Buffer.from('end');
        return '';
      },
    };
    const patch = () => ({ position: 0, bytes: Buffer.from('x') });
    await writeResumably(path, [...(first ? [first] : []), ...others, last], often, patch);
    expect(await readFile(path, 'utf8')).toBe('xBCBCDend');
  });
});

describe('A folder that is written file by file', () => {
  const files = (failing: boolean, made: string[]): FolderFile[] => [
    { name: 'one', bytes: 6, content: { units: units(2) } },
    {
      ...{ name: 'two', bytes: 0 },
      content: {
        pieces: (results) => {
          made.push('two');
          expect(results.get('one')).toEqual(['result 0', 'result 1']);
          return { pieces: ['text'] };
        },
      },
    },
    { name: 'three', bytes: 12, content: { units: units(4, failing ? { failing: 2 } : {}) } },
    { name: 'none', bytes: 0, content: { pieces: () => null } },
  ];

  test('appears whole, and goes on after a failure with the files that are whole', async () => {
    const path = join(folder, 'model');
    const made: string[] = [];
    await expect(writeFolderResumably(path, files(true, made), often)).rejects.toThrow('The source failed.');
    expect(existsSync(path)).toBe(false);
    expect(await begunFolderBytes(path)).toBeGreaterThan(6);
    await writeFolderResumably(path, files(false, made), often);
    expect(made).toEqual(['two']);
    expect((await readdir(path)).toSorted()).toEqual(['one', 'three', 'two']);
    expect(await readFile(join(path, 'three'))).toEqual(whole);
    expect(await readdir(folder)).toEqual(['model']);
  });

  test('is refused where a folder with files is, and by its check', async () => {
    const path = join(folder, 'model');
    const refusing = async () => {
      throw new Error('Not right.');
    };
    await expect(writeFolderResumably(path, files(false, []), often, refusing)).rejects.toThrow('Not right.');
    expect(existsSync(path)).toBe(false);
    await discardBegunFolder(path);
    expect(await readdir(folder)).toEqual([]);
    await writeFolderResumably(path, files(false, []), often);
    await expect(writeFolderResumably(path, files(false, []), often)).rejects.toThrow(/is there already/);
  });

  test('leaves out what killed writers have left in it', async () => {
    const path = join(folder, 'model');
    await expect(writeFolderResumably(path, files(true, []), often)).rejects.toThrow();
    await writeFile(join(folder, '.model.part', '.two.1-0123456789ab.part'), 'half');
    await writeFolderResumably(path, files(false, []), often);
    expect((await readdir(path)).toSorted()).toEqual(['one', 'three', 'two']);
  });

  test('is not made anew where only its name was missing', async () => {
    const path = join(folder, 'model');
    const made: string[] = [];
    const dying = async () => {
      throw new Error('Killed.');
    };
    await expect(writeFolderResumably(path, files(false, made), often, dying)).rejects.toThrow('Killed.');
    await writeFolderResumably(path, files(false, made), often);
    expect(made).toEqual(['two']);
    expect(await readdir(folder)).toEqual(['model']);
  });

  test('never replaces what somebody put under its name meanwhile', async () => {
    const path = join(folder, 'model');
    await mkdir(path);
    const meanwhile = () => writeFile(join(path, 'mine'), 'mine');
    await expect(writeFolderResumably(path, files(false, []), often, meanwhile)).rejects.toThrow(
      /is there already/,
    );
    expect(await readFile(join(path, 'mine'), 'utf8')).toBe('mine');
  });

  test('is refused where a file is', async () => {
    const path = join(folder, 'model');
    await writeFile(path, 'mine');
    await expect(writeFolderResumably(path, files(false, []), often)).rejects.toThrow(/is there already/);
  });
});
