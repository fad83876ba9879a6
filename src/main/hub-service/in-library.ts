import type { Database } from 'better-sqlite3';
import { sep } from 'node:path';
import type { Model } from '../../shared/contract/index.ts';
import { placeIn } from '../downloads/index.ts';
import type { Offer } from './offers.ts';
import { lastOf, modelFolder, sha256Of } from './plan.ts';

interface Shelf {
  /** With the table `file_hashes`. */
  database: Database;
  modelsFolder: string;
  /** Of the library. */
  models: readonly Model[];
}

/**
 * Tells which model of the library an offer of a repository is: one with its hash, whoever has downloaded it, or the one that lies where it
 * would go.
 */
export function inLibrary(
  { database, modelsFolder, models }: Shelf,
  repository: string,
): (offer: Offer) => number | null {
  const there = new Map(models.filter(({ missing }) => !missing).map(({ path, id }) => [path, id]));
  const withHash = database
    .prepare<[string], string>('SELECT path FROM file_hashes WHERE expected = ?')
    .pluck();
  return ({ files: [first], subfolder }) => {
    if (!first) return null;
    const sha256 = sha256Of(first);
    const same = sha256 === null ? [] : withHash.all(sha256);
    const place = placed(() =>
      placeIn(modelFolder(modelsFolder, { repository, subfolder }), lastOf(first.path)),
    );
    const path = [...same, place].find((each) => there.has(each));
    return there.get(path ?? '') ?? null;
  };
}

/**
 * The model of the library that lies as a file of a repository does, which is known without asking the hub: in `OWNER/NAME`, as Puna and LM
 * Studio keep it, or in the cache of Hugging Face's own programs.
 */
export function liesInLibrary(
  models: readonly Pick<Model, 'id' | 'path' | 'missing'>[],
  repository: string,
  file: string,
): number | null {
  const cache = `models--${repository.replaceAll('/', '--')}`;
  const found = models.find(({ path, missing }) => {
    const steps = path.split(sep);
    if (missing || steps.at(-1) !== file) return false;
    const isCached = steps.at(-3) === 'snapshots' && steps.at(-4) === cache;
    return isCached || steps.slice(-3, -1).join('/') === repository;
  });
  return found?.id ?? null;
}

/** A name that leads elsewhere has no place. */
function placed(place: () => string): string {
  try {
    return place();
  } catch {
    return '';
  }
}
