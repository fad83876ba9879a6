import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SafeStorage } from 'electron';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeychainSecrets } from '../../src/main/electron/secrets.ts';
import { fake } from '../support/electron.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  temporary = await temporaryFolder();
});
afterEach(() => temporary.remove());

const path = () => join(temporary.folder, 'secrets.json');
const text = async () => await readFile(path(), 'utf8');
/** What a secret would be in the file if it were not sealed. */
const plain = Buffer.from('hf_secret').toString('base64');

/** A keychain that turns every bit around. */
function keychain(calls: Partial<SafeStorage> = {}): SafeStorage {
  const turned = (bytes: Uint8Array) => Buffer.from(bytes.map((byte) => byte ^ 0xff));
  return fake({
    isAsyncEncryptionAvailable: async () => true,
    getSelectedStorageBackend: () => 'gnome_libsecret',
    encryptStringAsync: async (secret: string) => turned(Buffer.from(secret)),
    decryptStringAsync: async (sealed: Buffer) => ({
      shouldReEncrypt: false,
      result: turned(sealed).toString(),
    }),
    ...calls,
  });
}

describe('Secrets of the desktop', () => {
  test('are sealed with the keychain and opened again', async () => {
    const secrets = new KeychainSecrets(keychain(), path(), 'linux');
    await secrets.set('hub-token', 'hf_secret');
    expect(await text()).not.toContain(plain);
    expect(await new KeychainSecrets(keychain(), path(), 'linux').get('hub-token')).toBe('hf_secret');
  });

  test('leave the keychain alone while there are none', async () => {
    const untouched = fake<SafeStorage>({});
    expect(await new KeychainSecrets(untouched, path(), 'linux').get('hub-token')).toBeNull();
  });

  test.each([
    ['there is none', 'darwin', { isAsyncEncryptionAvailable: async () => false }],
    ['its key is known to everybody', 'linux', { getSelectedStorageBackend: () => 'basic_text' as const }],
  ] as const)('are a file for their owner alone where %s', async (_, platform, calls) => {
    const secrets = new KeychainSecrets(keychain(calls), path(), platform);
    await secrets.set('hub-token', 'hf_secret');
    expect(await text()).toContain(plain);
    if (process.platform !== 'win32') expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await secrets.get('hub-token')).toBe('hf_secret');
  });

  test('say what to do where the keychain is locked', async () => {
    const locked = async () => Promise.reject(new Error('locked'));
    const secrets = new KeychainSecrets(
      keychain({ encryptStringAsync: locked, decryptStringAsync: locked }),
      path(),
      'linux',
    );
    await expect(secrets.set('hub-token', 'hf_secret')).rejects.toMatchObject({
      code: 'invalid-input',
      remedy: 'Unlock it, and try again.',
    });
    const open = new KeychainSecrets(keychain(), path(), 'linux');
    await open.set('hub-token', 'hf_secret');
    await expect(secrets.get('hub-token')).rejects.toMatchObject({ code: 'file-damaged' });
  });
});
