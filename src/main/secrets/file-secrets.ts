import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { fileError, moveDurably } from '../storage/index.ts';
import { type Seal, type Secrets, unsealed } from './secrets.ts';

/** By name; `sealed` in base64. */
const fileSchema = z.record(z.string(), z.object({ seal: z.string(), sealed: z.base64() }));
type Kept = z.infer<typeof fileSchema>;

/** The owner may read and write it, nobody else anything. Windows has no such modes; there the folder belongs to its owner alone. */
const ownersOnly = 0o600;

/** Secrets in a file of the data folder that only its owner can read, sealed where the shell has a keychain. */
export class FileSecrets implements Secrets {
  readonly #path: string;
  readonly #seal: Seal;
  /** One change after the other: each reads and writes the whole file. */
  #changes: Promise<void> = Promise.resolve();

  constructor(path: string, seal: Seal = unsealed) {
    this.#path = path;
    this.#seal = seal;
  }

  /** Errors: `file-damaged` (it cannot be read or opened), `invalid-input` (no permission). */
  async get(name: string): Promise<string | null> {
    const kept = (await this.#read())[name];
    if (!kept) return null;
    const seal = kept.seal === unsealed.name ? unsealed : this.#seal;
    try {
      if (seal.name !== kept.seal) throw new Error(`It is sealed by ${kept.seal}.`);
      return await seal.open(Buffer.from(kept.sealed, 'base64'));
    } catch (cause) {
      throw new PunaError(
        'file-damaged',
        `The secret ${name} cannot be opened here.`,
        'Enter it once more; it was kept by another program or in another keychain.',
        { cause },
      );
    }
  }

  /** Errors: `disk-full`, `invalid-input` (no permission). */
  async set(name: string, secret: string): Promise<void> {
    const sealed = Buffer.from(await this.#seal.seal(secret)).toString('base64');
    await this.#change((all) => ({ ...all, [name]: { seal: this.#seal.name, sealed } }));
  }

  /** Errors: as those of `set`. */
  async remove(name: string): Promise<void> {
    await this.#change((all) => Object.fromEntries(Object.entries(all).filter(([key]) => key !== name)));
  }

  #change(change: (all: Kept) => Kept): Promise<void> {
    const changed = this.#changes.then(async () => this.#write(change(await this.#read())));
    this.#changes = changed.catch(() => undefined);
    return changed;
  }

  async #read(): Promise<Kept> {
    try {
      const text = await readFile(this.#path, 'utf8');
      const { mode } = await stat(this.#path);
      // A backup or a copy may have opened it to others.
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) await chmod(this.#path, ownersOnly);
      return fileSchema.parse(JSON.parse(text));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return {};
      if (thrown instanceof SyntaxError || thrown instanceof z.ZodError) {
        throw new PunaError(
          'file-damaged',
          `The file ${this.#path} is damaged.`,
          'Remove it, and enter your tokens once more.',
          { cause: thrown },
        );
      }
      throw fileError(thrown, this.#path);
    }
  }

  /** The mode is there before the first byte is. */
  async #write(all: Kept): Promise<void> {
    const temporary = join(
      dirname(this.#path),
      `.${basename(this.#path)}.${randomBytes(6).toString('hex')}.part`,
    );
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      {
        await using handle = await open(temporary, 'wx', ownersOnly);
        await handle.writeFile(JSON.stringify(all));
        await handle.sync();
      }
      await moveDurably(temporary, this.#path);
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw fileError(thrown, this.#path);
    }
  }
}

/** Where a data folder keeps its secrets. */
export function secretsFile(dataFolder: string): string {
  return join(dataFolder, 'secrets.json');
}
