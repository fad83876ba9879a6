import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../src/main/storage/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  temporary = await temporaryFolder();
});
afterEach(() => temporary.remove());

/** A process that holds the lock until it is killed. */
async function holder(folder: string) {
  const lockModule = pathToFileURL('src/main/storage/index.ts').href;
  const program = `
    import { lockDataFolder } from ${JSON.stringify(lockModule)};
    lockDataFolder(${JSON.stringify(folder)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
    const other = await holder(temporary.folder);
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
