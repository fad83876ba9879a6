import type { ImportOrder, LeftOut } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { DatasetJobs, FileSource, ImportResult } from '../dataset-engine/messages.ts';
import type { Engine } from '../engine/index.ts';
import type { History } from '../history/index.ts';
import { besideDataset } from './begun.ts';
import { writeHistory } from './history-file.ts';
import type { LiveDataset } from './live-dataset.ts';
import { historyLabel, labelsOf } from './names.ts';

/** The same order gives the same sample, and the same examples to measure on. */
const seed = 1;

/**
 * Makes a dataset of what people have, in an engine. Errors: `invalid-input` (nothing can be read, or nothing is left), `disk-full`,
 * `engine-died`, `cancelled`.
 */
export async function importDataset(
  live: LiveDataset,
  order: ImportOrder,
  { engine, history }: { engine: Engine<DatasetJobs>; history: Pick<History, 'examples'> },
): Promise<ImportResult> {
  const { signal } = live.controller;
  const { sources, leftOut } = await filesOf(live, order, history);
  // Without any from the beginning, the dataset is for examples that a person writes.
  if (sources.length === 0 && order.sources.length > 0)
    throw new PunaError('invalid-input', leftOut[0]?.reason ?? '', noReplies);
  const { clean, validation } = order;
  const result = await engine.run(
    'import',
    { sources, clean, validation, seed, out: live.value.path },
    { signal, onEvent: ({ share, examples, current }) => live.tell({ share, examples, current }) },
  );
  return { ...result, leftOut: [...leftOut, ...result.leftOut] };
}

const noReplies = 'Chat first, give replies a thumb up or correct them, or choose other sources.';

/** The files that an order is read from; those of the history are written now, beside the dataset. */
async function filesOf(
  live: LiveDataset,
  { sources: ordered }: ImportOrder,
  history: Pick<History, 'examples'>,
): Promise<{ sources: FileSource[]; leftOut: LeftOut[] }> {
  const { signal } = live.controller;
  const labels = labelsOf(ordered.map((source) => (source.from === 'file' ? source.path : historyLabel)));
  const sources: FileSource[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, source] of ordered.entries()) {
    const label = labels[index] ?? historyLabel;
    if (source.from === 'file') {
      const { path, me, columns, dates } = source;
      sources.push({ path, me, columns, dates, label });
      continue;
    }
    live.tell({ current: label });
    const path = besideDataset(live.value.path, `${index}.jsonl`);
    const count = await writeHistory(history, source, { path, signal });
    const none = source.onlyLiked
      ? 'The conversations have no reply with a thumb up or a correction.'
      : 'The conversations have no reply to learn from.';
    if (count === 0) leftOut.push({ reason: none, count: 1 });
    else sources.push({ path, label, ...{ me: null, columns: null, dates: null } });
  }
  return { sources, leftOut };
}
