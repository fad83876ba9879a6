import { PunaError } from '../../shared/error.ts';
import { printable } from '../weights/formats/printable.ts';
import type { GgufModel, GgufRepository } from './gguf-files.ts';

/** What a person names: a repository and, behind a colon, a quantization or a file of it. */
export interface Reference {
  id: string;
  choice: string | null;
}

/** `OWNER/NAME[:QUANTIZATION|FILE]`, also behind the address of the hub as people copy it. Errors: `invalid-input`. */
export function parseReference(text: string): Reference {
  const bare = text.trim().replace(/^(https?:\/\/)?(www\.)?(huggingface\.co|hf\.co)\//i, '');
  const found = /^([\w.-]+\/[\w.-]+)(?:\/(?:tree|blob|resolve)\/[^/:]+(?:\/([^:]+?))?)?\/?(?::(.+))?$/.exec(
    bare,
  );
  const [, id, path, choice] = found ?? [];
  if (id !== undefined) return { id, choice: choice ?? path ?? null };
  throw new PunaError(
    'invalid-input',
    `${JSON.stringify(text)} does not name a repository.`,
    'Write OWNER/NAME, or OWNER/NAME:Q4_K_M for one of its quantizations.',
  );
}

/** The model of a repository that a person has named, by its quantization, path or file name. Errors: `not-found`, `invalid-input` (several). */
export function chosenModel(
  { groups, incomplete }: GgufRepository,
  { id, choice }: Reference & { choice: string },
): GgufModel {
  const models = groups.flatMap((group) => group.models);
  const wanted = choice.toLowerCase();
  const byFile = models.filter(
    ({ name, files }) =>
      name.toLowerCase() === wanted ||
      files.some(({ path }) => [path.toLowerCase(), path.toLowerCase().split('/').at(-1)].includes(wanted)),
  );
  const found =
    byFile.length > 0 ? byFile : models.filter(({ quantization }) => quantization?.toLowerCase() === wanted);
  const [model] = found;
  if (model && found.length === 1) return model;
  if (model) {
    throw new PunaError(
      'invalid-input',
      `${id} has ${found.length} models with ${choice}.`,
      `Name one of ${found.map(({ name }) => printable(name)).join(', ')}.`,
    );
  }
  if (incomplete.some((path) => path.toLowerCase().includes(wanted))) {
    throw new PunaError(
      'not-found',
      `${id} lacks parts of ${choice}.`,
      'Choose another quantization or repository.',
    );
  }
  throw new PunaError('not-found', `${id} has no ${choice}.`, `It has ${known(groups)}.`);
}

function known(groups: GgufRepository['groups']): string {
  const names = groups.map(({ quantization, models }) => printable(quantization ?? models[0]?.name ?? ''));
  return names.length === 0 ? 'no GGUF models' : names.join(', ');
}
