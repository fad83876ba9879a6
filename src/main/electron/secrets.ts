import type { SafeStorage } from 'electron';
import { PunaError } from '../../shared/error.ts';
import { FileSecrets, type Seal, type Secrets } from '../secrets/index.ts';

type Keychain = Pick<
  SafeStorage,
  'encryptStringAsync' | 'decryptStringAsync' | 'isAsyncEncryptionAvailable' | 'getSelectedStorageBackend'
>;

/**
 * Secrets in a file, sealed with a key of the system's keychain; where there is none, only the file's mode protects them, as in the browser
 * shell. The keychain, which may ask the person for leave, is not touched before there is something to seal or to open. To be used
 * when Electron is ready.
 */
export class KeychainSecrets implements Secrets {
  readonly #keychain: Keychain;
  readonly #path: string;
  readonly #platform: NodeJS.Platform;
  #file: Promise<FileSecrets> | null = null;

  /** `path`: of the file. */
  constructor(keychain: Keychain, path: string, platform: NodeJS.Platform = process.platform) {
    this.#keychain = keychain;
    this.#path = path;
    this.#platform = platform;
  }

  /** Errors: `file-damaged` (it cannot be read or opened), `invalid-input` (no permission). */
  async get(name: string): Promise<string | null> {
    try {
      return await new FileSecrets(this.#path).get(name);
    } catch {
      return (await this.#open()).get(name);
    }
  }

  /** Errors: `disk-full`, `invalid-input` (no permission, or the keychain is locked). */
  async set(name: string, secret: string): Promise<void> {
    await (await this.#open()).set(name, secret);
  }

  /** Errors: as those of `set`. */
  async remove(name: string): Promise<void> {
    await (await this.#open()).remove(name);
  }

  #open(): Promise<FileSecrets> {
    this.#file ??= this.#isSealed().then(
      (isSealed) => new FileSecrets(this.#path, ...(isSealed ? [keychainSeal(this.#keychain)] : [])),
    );
    return this.#file;
  }

  async #isSealed(): Promise<boolean> {
    // Without a keychain Chromium uses a password that everybody knows.
    const isKnown = this.#platform === 'linux' && this.#keychain.getSelectedStorageBackend() === 'basic_text';
    return !isKnown && this.#keychain.isAsyncEncryptionAvailable().catch(() => false);
  }
}

function keychainSeal(keychain: Keychain): Seal {
  return {
    name: 'keychain',
    seal: (secret) =>
      keychain.encryptStringAsync(secret).catch((cause: unknown) => {
        throw new PunaError(
          'invalid-input',
          'The keychain of this system takes no secrets.',
          'Unlock it, and try again.',
          { cause },
        );
      }),
    open: async (sealed) => (await keychain.decryptStringAsync(Buffer.from(sealed))).result,
  };
}
