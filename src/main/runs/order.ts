import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type Model, mostPrompts, type Sample, type TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Snapshot } from '../dataset-engine/messages.ts';
import { fileError } from '../storage/index.ts';
import { promptsIn } from './prompts.ts';

/** What runs learn from, and what becomes of that when a run is removed. */
export interface RunDatasets {
  snapshot(datasetId: number): Promise<Snapshot & { name: string }>;
  /** Removes all snapshots but these files. */
  clearSnapshots?(needed: readonly string[]): Promise<void>;
}

type RunData = Pick<TrainingRun, 'data' | 'validationData' | 'datasets'>;

/**
 * Gathers what a run is to learn from, in files that are not changed any more. Errors: those of `snapshot`, `file-missing`,
 * `nothing-to-learn`.
 */
export async function gatherData(
  { data, datasetIds }: { data: readonly string[]; datasetIds: readonly number[] },
  collection: RunDatasets,
): Promise<RunData> {
  for (const path of data) await refuseUnreadable(path);
  const gathered: RunData = { data: [...data], validationData: [], datasets: [] };
  for (const id of new Set(datasetIds)) {
    const { name, fingerprint, data: learnt, validationData: measured } = await collection.snapshot(id);
    gathered.datasets.push({ id, name, fingerprint });
    if (learnt !== null) gathered.data.push(learnt);
    if (measured !== null) gathered.validationData.push(measured);
  }
  if (gathered.data.length > 0) return gathered;
  const names = gathered.datasets.map(({ name }) => `“${name}”`).join(', ');
  throw names === ''
    ? new PunaError('nothing-to-learn', 'There is nothing to learn from.', 'Choose a dataset or a file.')
    : new PunaError(
        'nothing-to-learn',
        `All examples of ${names} are only measured on, and none is learnt.`,
        'Hold fewer examples back in the dataset.',
      );
}

/** What the model is asked while it learns: what the person wants to ask, else what some examples begin with. */
export async function samplesFor(
  prompts: readonly string[],
  { data, validationData, datasets }: RunData,
): Promise<Sample[]> {
  const own = [...new Set(prompts)];
  if (own.length > 0 || datasets.length === 0) return own.map(unanswered);
  const measured = await promptsIn(validationData);
  const found = measured.length > 0 ? measured : await promptsIn(data);
  return found.slice(0, mostPrompts).map(({ prompt }) => unanswered(prompt));
}

/** Errors: `invalid-input`, `file-missing`. */
export function refuseUnfit({ kind, missing, name, path }: Model): void {
  if (kind === 'adapter') {
    throw new PunaError('invalid-input', `${name} is an adapter.`, 'Choose the model that it belongs to.');
  }
  if (missing) throw new PunaError('file-missing', `There is no file ${path}.`, 'Choose another model.');
}

async function refuseUnreadable(path: string): Promise<void> {
  if (!isAbsolute(path)) {
    throw new PunaError('invalid-input', `${path} could be in any folder.`, 'Give the whole path.');
  }
  await access(path, constants.R_OK).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
}

function unanswered(prompt: string): Sample {
  return { prompt, base: null, replies: [] };
}
