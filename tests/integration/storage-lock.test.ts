import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder, writeResumably } from '../../src/main/storage/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  temporary = await temporaryFolder();
});
afterEach(() => temporary.remove());

/** A process that does something with the module of locks, and says so, until it is killed. */
async function holder(program: string) {
  const lockModule = pathToFileURL('src/main/storage/index.ts').href;
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import * as storage from ${JSON.stringify(lockModule)}; ${program}; setInterval(() => {}, 1000);`,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  return {
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('the lock of a data folder', () => {
  it('makes the folder, and is free again when it is released', () => {
    const folder = join(temporary.folder, 'new', 'data');
    for (let turn = 0; turn < 3; turn++) lockDataFolder(folder).release();
  });

  it('refuses a second holder in the same process', () => {
    const lock = lockDataFolder(temporary.folder);
    expect(() => lockDataFolder(temporary.folder)).toThrow(/already running/);
    lock.release();
  });

  it('refuses a second process, and is free as soon as the first one is killed', async () => {
    const other = await holder(
      // Kept: what nobody holds any more is collected, and its lock with it.
      `globalThis.lock = storage.lockDataFolder(${JSON.stringify(temporary.folder)}); console.log('locked')`,
    );
    try {
      expect(() => lockDataFolder(temporary.folder)).toThrow(
        expect.objectContaining({
          code: 'already-running',
          message: `Puna is already running with the data folder ${temporary.folder}.`,
          remedy: 'Use the window or tab that is open, or name another folder with --data.',
        }),
      );
    } finally {
      await other.kill();
    }
    lockDataFolder(temporary.folder).release();
  });

  it('says when the folder cannot be used', async () => {
    const file = join(temporary.folder, 'file');
    await writeFile(file, 'x');
    expect(() => lockDataFolder(join(file, 'data'))).toThrow(
      expect.objectContaining({ code: 'invalid-input', remedy: expect.stringContaining('--data') }),
    );
    expect(() => lockDataFolder(file)).toThrow(`The data folder ${file} cannot be made.`);
  });
});

describe('A file that is written unit by unit', () => {
  it('has one writer, and may be gone on with as soon as that one is killed', async () => {
    const path = join(temporary.folder, 'file');
    const unit = `{ bytes: 1, async *pieces() { console.log('writing'); await new Promise(() => {}); } }`;
    const other = await holder(
      `void storage.writeResumably(${JSON.stringify(path)}, [${unit}], { signature: '' })`,
    );
    const write = () =>
      writeResumably(
        path,
        [
          {
            bytes: 1,
            async *pieces() {
              yield Buffer.from('a');
              return '';
            },
          },
        ],
        { signature: '' },
      );
    try {
      await expect(write()).rejects.toMatchObject({
        code: 'already-running',
        message: `Another Puna is writing ${path}.`,
      });
    } finally {
      await other.kill();
    }
    await write();
    expect(await readdir(temporary.folder)).toEqual(['file']);
  });
});
