import { sep } from 'node:path';
import type { Dataset, DatasetRecipe } from '../../shared/contract/index.ts';
import { KeptUploads, type Uploads } from '../storage/index.ts';

/** Files that browsers sent, kept until the datasets that are made of them are made. */
export class SourceFiles {
  readonly #uploads: KeptUploads;
  readonly #datasets: () => Dataset[];

  constructor(folder: string, uploads: Uploads, datasets: () => Dataset[]) {
    this.#uploads = new KeptUploads(folder, uploads);
    this.#datasets = datasets;
  }

  /** Errors: those of `Uploads.takeGroup`. */
  keep(groupId: string): Promise<string> {
    return this.#uploads.keep(groupId);
  }

  /** Removes what holds this path, unless a dataset that is still to be made needs it. */
  async forget(path: string): Promise<void> {
    const isNeeded = this.#needed().some((needed) => holds(path, needed) || holds(needed, path));
    if (!isNeeded) await this.#uploads.forget(path);
  }

  /** Removes what a dataset that is made, or removed, was made of. */
  async release(recipe: DatasetRecipe): Promise<void> {
    for (const path of pathsOf(recipe)) await this.forget(path);
  }

  /** Removes all that nothing needs. */
  clear(): Promise<void> {
    return this.#uploads.clear(this.#needed());
  }

  #needed(): string[] {
    return this.#datasets().flatMap(({ state, recipe }) => (state === 'ready' ? [] : pathsOf(recipe)));
  }
}

function pathsOf(recipe: DatasetRecipe): string[] {
  if (recipe.kind !== 'import') return [];
  return recipe.sources.flatMap((source) => (source.from === 'file' ? [source.path] : []));
}

function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
