import type { Database } from 'better-sqlite3';
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

/** A name that leads elsewhere has no place. */
function placed(place: () => string): string {
  try {
    return place();
  } catch {
    return '';
  }
}
