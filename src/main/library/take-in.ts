import type { Database } from 'better-sqlite3';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import type { ModelFacts, WeightsItem } from '../weights/messages.ts';
import { splitEnding } from '../weights/model-file.ts';
import { keepBroken } from './broken.ts';
import { KnownModels, type Place } from './known-models.ts';
import type { ModelRow } from './model-row.ts';
import { type ModelToPut, putModel, tellingName } from './put-model.ts';
import { usable } from './usable.ts';
import type { Found } from './walk.ts';

/** Says what files and folders are, in a process that may take its time. */
export interface Reader {
  facts(path: string, signal: AbortSignal): Promise<ModelFacts>;
  recognise(path: string, signal: AbortSignal): Promise<WeightsItem>;
}

export interface TakeInOptions {
  /** With the tables of the library. */
  database: Database;
  reader: Reader;
  /** Folders of which the library shows what is in them. */
  isShown: (foundIn: string) => boolean;
  /** ms since 1970 */
  now: () => number;
}

/** `there`: nothing is new; `left-out`: it cannot be used, is there already, or a person has taken it off the list. */
type Outcome = 'there' | 'taken' | 'left-out';

/** Puts what scans find into the library: once, under the name that it has where it comes from. */
export class TakeIn {
  readonly #options: TakeInOptions;
  readonly #known: KnownModels;
  /** What cannot be used, as it was then: it is read again when it has changed. */
  readonly #refused = new Map<string, Pick<Found, 'bytes' | 'modifiedAt'>>();

  constructor(options: TakeInOptions) {
    this.#options = options;
    this.#known = new KnownModels(options.database);
  }

  /**
   * Takes in what was found in a place, and gives how much of it is in the library. `onTaken` is told of each that is new or has
   * changed. Errors: the signal's reason.
   */
  async take(
    found: readonly Found[],
    place: Place,
    { signal, onTaken }: { signal: AbortSignal; onTaken: () => void },
  ): Promise<{ models: number; bytes: number }> {
    let [models, bytes] = [0, 0];
    for (const one of found) {
      signal.throwIfAborted();
      const outcome = await this.#takeOne(one, place, signal);
      if (outcome === 'left-out') continue;
      models++;
      bytes += one.bytes;
      if (outcome === 'taken') onTaken();
    }
    return { models, bytes };
  }

  async #takeOne(found: Found, place: Place, signal: AbortSignal): Promise<Outcome> {
    const { database } = this.#options;
    if (this.#known.isForgotten(found.path)) return 'left-out';
    const row = this.#known.byPath(found.path) ?? (await this.#moved(found));
    if (row === 'elsewhere') return 'left-out';
    const isNew = !row || row.path !== found.path || !this.#isPlaced(row, found, place);
    if (row && isNew) this.#known.move(row, found, place);
    if (row?.file_bytes === found.bytes && row.modified_at === found.modifiedAt) {
      return isNew ? 'taken' : 'there';
    }

    const refused = this.#refused.get(found.path);
    if (refused?.bytes === found.bytes && refused.modifiedAt === found.modifiedAt) return 'left-out';
    const model = await this.#read(found, place, signal);
    if (!model) {
      // The first part of a split model does not change when the others come.
      if (!splitEnding.test(found.path)) this.#refused.set(found.path, found);
      return 'left-out';
    }
    this.#refused.delete(found.path);
    // Both may have happened while it was read.
    if (!(await isThere(found.path)) || this.#known.isForgotten(found.path)) return 'left-out';
    putModel(database, model);
    if (found.sha256 !== undefined) this.#known.expect(found.path, found.sha256);
    return 'taken';
  }

  /**
   * The line of what is the same file: one whose link is gone, such as that of an older snapshot, one that lies where the library shows
   * nothing, or one that was moved, which keeps its size and the time of its last change. `elsewhere`: the library has it in another
   * place.
   */
  async #moved(found: Found): Promise<ModelRow | 'elsewhere' | null> {
    const same = this.#known.byRealPath(found.realPath);
    for (const row of same) {
      const isHidden = row.found_in !== null && !this.#options.isShown(row.found_in);
      if (isHidden || !(await isThere(row.path))) return row;
    }
    if (same.length > 0) return 'elsewhere';
    const gone: ModelRow[] = [];
    for (const row of this.#known.byChange(found)) {
      // A disk that is unplugged has not lost its files.
      const isConnected = await isThere(row.found_in ?? dirname(row.path));
      if (isConnected && !(await isThere(row.path))) gone.push(row);
    }
    return gone.length === 1 ? (gone[0] ?? null) : null;
  }

  /** What lies in two folders that are looked through stays in the first one; what was added by itself tells where it lies. */
  #isPlaced({ origin, found_in, real_path }: ModelRow, { realPath }: Found, { foundIn }: Place): boolean {
    if (real_path !== realPath) return false;
    if (found_in === null) return origin !== 'file';
    return found_in === foundIn || this.#options.isShown(found_in);
  }

  async #read(found: Found, place: Place, signal: AbortSignal): Promise<ModelToPut | null> {
    const { database, reader, now } = this.#options;
    const common = {
      ...{
        ...place,
        path: found.path,
        realPath: found.realPath,
        name: found.name ?? tellingName(found.path),
      },
      ...{ fileBytes: found.bytes, modifiedAt: found.modifiedAt, addedAt: now() },
    };
    try {
      if (found.kind === 'weights') {
        const item = await reader.recognise(found.path, signal);
        return item.kind === 'model' && item.layout === 'hugging-face' ? ofFolder(item, common) : null;
      }
      const { kind, ...facts } = usable(await reader.facts(found.path, signal), found.path);
      return kind === 'delta' ? null : { ...facts, ...common, kind };
    } catch (thrown) {
      signal.throwIfAborted();
      // One that ends the process that reads it is of no use either.
      if (!(thrown instanceof PunaError)) throw thrown;
      // What the library has had of that path is no longer what it says.
      keepBroken(database, found, thrown);
      return null;
    }
  }
}

type Common = Pick<
  ModelToPut,
  'path' | 'realPath' | 'name' | 'origin' | 'foundIn' | 'fileBytes' | 'modifiedAt' | 'addedAt'
>;

function ofFolder({ architecture, parameters, type, bytes }: WeightsItem, common: Common): ModelToPut {
  return {
    ...common,
    ...{ kind: 'weights', architecture: architecture ?? '', parameters, quantization: type, bytes },
    ...{ contextLength: null, hasChatTemplate: false, license: null },
  };
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
