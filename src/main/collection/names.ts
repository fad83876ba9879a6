import { basename, dirname, extname, join } from 'node:path';
import type { DatasetRecipe, Folder, ImportSource } from '../../shared/contract/index.ts';

/** What is told of conversations that have no title, and of all of them. */
export const historyLabel = 'Conversations';

/** A dataset that begins without examples. */
const emptyName = 'Examples';

/** A line of the list; a topic can be a paragraph. */
const longestName = 60;

interface Known {
  folders: readonly Folder[];
  /** Of the dataset that pairs are made from. */
  datasetName(id: number): string;
}

/** The name that a person gave, or one that tells what it is made of. */
export function nameFor(recipe: DatasetRecipe, known: Known): string {
  const given = recipe.name.trim();
  if (given !== '') return given;
  switch (recipe.kind) {
    case 'import': {
      const [first, ...others] = recipe.sources.map((source) => nameOfSource(source, known));
      if (first === undefined) return emptyName;
      return others.length === 0 ? shortened(first) : `${shortened(first)} +${others.length}`;
    }
    case 'pairs':
      return `${shortened(known.datasetName(recipe.datasetId))} Q&A`;
    case 'self-instruct':
      return 'Self-instruct';
    case 'self-chat':
      return shortened(recipe.topics[0] ?? '');
  }
}

function nameOfSource(source: ImportSource, { folders }: Known): string {
  if (source.from === 'file') return basename(source.path, extname(source.path)) || source.path;
  return folders.find(({ id }) => id === source.folderId)?.name ?? historyLabel;
}

function shortened(name: string): string {
  const characters = [...name.replaceAll(/\s+/g, ' ').trim()];
  if (characters.length <= longestName) return characters.join('');
  return `${characters.slice(0, longestName).join('').trimEnd()}…`;
}

/** What files are called where their examples are shown: their names, and the folder's before it where two have the same. */
export function labelsOf(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  return paths.map((path, index) => {
    const name = names[index] ?? path;
    const isTwice = names.some((other, at) => at !== index && other === name && paths[at] !== path);
    return isTwice ? join(basename(dirname(path)), name) : name;
  });
}
