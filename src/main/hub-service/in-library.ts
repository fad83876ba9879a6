import type { Database } from 'better-sqlite3';
import { placeIn } from '../downloads/index.ts';
import type { Model } from '../../shared/contract/index.ts';
import type { Offer } from './offers.ts';
import { lastOf, modelFolder } from './plan.ts';

interface Shelf {
  /** With the table `downloads`. */
  database: Database;
  modelsFolder: string;
  /** Of the library. */
  models: readonly Model[];
}

/** Tells which model of the library an offer of a repository is: the one that was downloaded as such, or that lies where it would go. */
export function inLibrary(
  { database, modelsFolder, models }: Shelf,
  repository: string,
): (offer: Offer) => number | null {
  const there = models.filter(({ missing }) => !missing);
  const downloaded = new Map(
    database
      .prepare<[string], [string, number]>(
        `SELECT file, model_id FROM downloads WHERE repository = ? AND state = 'done' AND model_id IS NOT NULL`,
      )
      .raw()
      .all(repository),
  );
  return ({ name, files, subfolder }) => {
    const id = downloaded.get(name);
    const known = there.find((model) => model.id === id);
    if (known) return known.id;
    const path = placed(() =>
      placeIn(modelFolder(modelsFolder, { repository, subfolder }), lastOf(files[0]?.path ?? '')),
    );
    return there.find((model) => model.path === path)?.id ?? null;
  };
}

/** A name that leads elsewhere has no place. */
function placed(place: () => string): string | null {
  try {
    return place();
  } catch {
    return null;
  }
}
