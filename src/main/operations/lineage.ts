import { basename } from 'node:path';
import type { Lineage, Model, RunDataset, TrainingRun, WeightsJob } from '../../shared/contract/index.ts';
import { inputsOf, type OriginRole } from '../../shared/operation-inputs.ts';

/** What is known of how weights came about. */
export interface Origins {
  /** Operations that are done, newest first. */
  jobs: readonly WeightsJob[];
  /** Newest first. */
  runs: readonly TrainingRun[];
  /** For their names. */
  models: readonly Model[];
}

/** A tree is cut there: merges of merges of merges would fill any window. */
const deepest = 12;

/** What weights were made from, and how, back to what was made elsewhere. */
export function lineageOf(path: string, origins: Origins): Lineage {
  return branch({ path, role: null }, origins, []);
}

function branch(
  { path, role }: { path: string; role: OriginRole | null },
  origins: Origins,
  descendants: readonly string[],
): Lineage {
  const name =
    origins.models.find((model) => model.path === path)?.name ?? basename(path).replace(/\.gguf$/i, '');
  const leaf: Lineage = { path, name, role, how: null, madeAt: null, from: [] };
  // A file that was made from one that later lay in its own place.
  if (descendants.includes(path) || descendants.length >= deepest) return leaf;
  const from = (input: { path: string; role: OriginRole }) => branch(input, origins, [...descendants, path]);

  const job = origins.jobs.find(({ result }) => result?.out === path);
  if (job) {
    const { operation, endedAt } = job;
    return { ...leaf, how: operation.kind, madeAt: endedAt, from: inputsOf(operation).map(from) };
  }
  const run = origins.runs.find(({ adapterPath, adapterId }) => adapterPath === path && adapterId !== null);
  if (!run) return leaf;
  const base: OriginRole = 'base';
  return {
    ...leaf,
    ...{ how: 'training', madeAt: run.endedAt },
    from: [
      from({ path: run.modelPath, role: base }),
      ...examplesOf(run).map((input) => ({
        ...from(input),
        ...(input.name !== null && { name: input.name }),
      })),
    ],
  };
}

/** What a run has learnt from: files, and datasets by their names. */
function examplesOf({ data, validationData, datasets }: TrainingRun): {
  role: OriginRole;
  path: string;
  name: string | null;
}[] {
  const files = [...data, ...validationData];
  const snapshots = datasets.map((dataset) => ({
    name: dataset.name,
    path: files.find((file) => isSnapshotOf(dataset, file)) ?? dataset.fingerprint,
  }));
  const plain = data
    .filter((file) => !datasets.some((dataset) => isSnapshotOf(dataset, file)))
    .map((path) => ({ name: null, path }));
  return [...plain, ...snapshots].map((input) => ({ ...input, role: 'examples' }));
}

/** Fewer digits than that name no snapshot. */
const shortestName = 16;

/** Snapshots of datasets are named by the beginning of their fingerprint. */
function isSnapshotOf({ fingerprint }: RunDataset, file: string): boolean {
  const [stem = ''] = basename(file).split('.');
  return stem.length >= shortestName && fingerprint.startsWith(stem);
}
