import { basename } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { newUnpackFolder, removeUnpackFolder } from './unpack-folder.ts';

/** Where a file stands that was unpacked. */
interface Place {
  readonly archive: string;
  /** Its path in the archive. */
  readonly name: string;
}

/** The files that paths stand for. Those that were unpacked of archives are there until it is disposed of. */
export class ImportFiles implements AsyncDisposable {
  /** Each once. */
  readonly files: string[] = [];
  /** Files of folders and archives that nothing can be read from, such as pictures. */
  passedOver = 0;
  readonly #added = new Set<string>();
  readonly #places = new Map<string, Place>();
  readonly #damaged: Place[] = [];
  readonly #folders: string[] = [];

  add(path: string, place: Place | null = null): void {
    const id = place ? fullName(place) : path;
    if (this.#added.has(id)) return;
    this.#added.add(id);
    if (place) this.#places.set(path, place);
    this.files.push(path);
  }

  addDamaged(place: Place): void {
    this.#damaged.push(place);
  }

  /** Files of archives that cannot be unpacked, as `fullName` and `nameInArchive` call them. */
  get damaged(): { fullName: string; nameInArchive: string }[] {
    return this.#damaged.map((place) => ({ fullName: fullName(place), nameInArchive: shortName(place) }));
  }

  /** The path of a file; of one that was unpacked, its path in the archive behind that of the archive. */
  fullName(path: string): string {
    const place = this.#places.get(path);
    return place ? fullName(place) : path;
  }

  /** What a file that was unpacked is called in short, such as `notes.zip/sub/a.md`; null: it was not. */
  nameInArchive(path: string): string | null {
    const place = this.#places.get(path);
    return place ? shortName(place) : null;
  }

  /** An error about a file that was unpacked, with the path that a person knows. */
  named(thrown: unknown, path: string): unknown {
    if (!(thrown instanceof PunaError) || !this.#places.has(path)) return thrown;
    const name = this.fullName(path);
    const [sentence, remedy] = [thrown.message, thrown.remedy].map((text) => text.replaceAll(path, name));
    return new PunaError(thrown.code, sentence ?? '', remedy ?? '', { cause: thrown });
  }

  /** A new folder to unpack to, which is removed in the end. */
  async temporaryFolder(): Promise<string> {
    const folder = await newUnpackFolder();
    this.#folders.push(folder);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#folders.splice(0)) await removeUnpackFolder(folder);
  }
}

/** Why files of archives are left out that cannot be unpacked. */
export const damagedInArchive = 'files of ZIP archives that are damaged or encrypted';

export function nothingIn(path: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} has no file that Puna can read.`,
    'Choose a folder with texts, tables, mails, documents or exports of chats.',
  );
}

function fullName({ archive, name }: Place): string {
  return `${archive}/${name}`;
}

function shortName({ archive, name }: Place): string {
  return `${basename(archive)}/${name}`;
}
