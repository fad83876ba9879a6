import type { Model, ModelOrigin } from '../../../shared/contract/index.ts';

export const sorts = ['name', 'newest', 'largest'] as const;
export type Sort = (typeof sorts)[number];

/** What of the library is shown. */
export interface Choice {
  /** All of these must be somewhere in what is known of a model. */
  words: string;
  origin: ModelOrigin | null;
  /** A model must have all of these. */
  tags: readonly string[];
  sort: Sort;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const orders: Record<Sort, (a: Model, b: Model) => number> = {
  name: (a, b) => collator.compare(a.name, b.name) || a.id - b.id,
  newest: (a, b) => b.addedAt - a.addedAt || b.id - a.id,
  largest: (a, b) => b.bytes - a.bytes || a.id - b.id,
};

/** The models that a person wants to see, in the order that they want. */
export function chosenModels(models: readonly Model[], { words, origin, tags, sort }: Choice): Model[] {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return models
    .filter((model) => {
      if (origin !== null && model.origin !== origin) return false;
      if (!tags.every((tag) => model.tags.includes(tag))) return false;
      const known = plain(
        [model.name, model.path, model.architecture, model.quantization, model.license, ...model.tags].join(
          ' ',
        ),
      );
      return wanted.every((word) => known.includes(word));
    })
    .toSorted(orders[sort]);
}

/** Each once, in the order of their names. */
export function tagsOf(models: readonly Model[]): string[] {
  return [...new Set(models.flatMap(({ tags }) => tags))].toSorted(collator.compare);
}

/** Hangul as whole syllables, since file names of a Mac have them in parts. */
function plain(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
