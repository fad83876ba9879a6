import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileSecrets, type Seal, secretsFile } from '../../src/main/secrets/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  temporary = await temporaryFolder();
});
afterEach(() => temporary.remove());

const path = () => secretsFile(join(temporary.folder, 'data'));
const mode = async () => ((await stat(path())).mode & 0o777).toString(8);

describe('Secrets', () => {
  test('are kept, changed and forgotten, each under its name', async () => {
    const secrets = new FileSecrets(path());
    expect(await secrets.get('hub-token')).toBeNull();
    await Promise.all([
      secrets.set('hub-token', 'hf_één'),
      secrets.set('other', 'x'),
      secrets.set('third', 'y'),
    ]);
    const again = new FileSecrets(path());
    expect(await again.get('hub-token')).toBe('hf_één');
    await again.set('hub-token', 'hf_two');
    await again.remove('other');
    expect(await secrets.get('hub-token')).toBe('hf_two');
    expect(await secrets.get('other')).toBeNull();
    expect(await secrets.get('third')).toBe('y');
    expect(await readdir(join(temporary.folder, 'data'))).toEqual(['secrets.json']);
  });

  test.runIf(process.platform !== 'win32')(
    'are readable by their owner alone, and again so after a copy',
    async () => {
      const umask = process.umask(0);
      try {
        const secrets = new FileSecrets(path());
        await secrets.set('hub-token', 'hf_x');
        expect(await mode()).toBe('600');
        await chmod(path(), 0o644);
        await secrets.get('hub-token');
        expect(await mode()).toBe('600');
      } finally {
        process.umask(umask);
      }
    },
  );

  test('may be sealed; those from before that are still read, and those of another seal are not', async () => {
    const mirrored: Seal = {
      name: 'mirror',
      seal: (secret) => Buffer.from([...secret].reverse().join('')),
      open: (sealed) => [...Buffer.from(sealed).toString()].reverse().join(''),
    };
    await new FileSecrets(path()).set('old', 'plain');
    const sealing = new FileSecrets(path(), mirrored);
    await sealing.set('hub-token', 'hf_secret');
    expect(await sealing.get('hub-token')).toBe('hf_secret');
    expect(await sealing.get('old')).toBe('plain');
    const text = await readFile(path(), 'utf8');
    expect(text).not.toContain(Buffer.from('hf_secret').toString('base64'));
    await expect(new FileSecrets(path()).get('hub-token')).rejects.toMatchObject({
      code: 'file-damaged',
      message: 'The secret hub-token cannot be opened here.',
    });
  });

  test.each(['', '{', '[]', '{"hub-token":"x"}'])(
    'in a file that holds %j are said to be damaged',
    async (text) => {
      await new FileSecrets(path()).set('a', 'b');
      await writeFile(path(), text);
      await expect(new FileSecrets(path()).get('a')).rejects.toThrow(`The file ${path()} is damaged.`);
      await expect(new FileSecrets(path()).set('a', 'c')).rejects.toThrow('is damaged');
      expect(await readFile(path(), 'utf8')).toBe(text);
    },
  );
});
