import { basename } from 'node:path';
import type { Lineage, Model, TrainingRun, WeightsJob } from '../../shared/contract/index.ts';
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
  const examples: OriginRole = 'examples';
  return {
    ...leaf,
    ...{ how: 'training', madeAt: run.endedAt },
    from: [
      from({ path: run.modelPath, role: base }),
      ...run.data.map((file) => from({ path: file, role: examples })),
    ],
  };
}
