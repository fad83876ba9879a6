import {
  type Dataset,
  type DatasetCounts,
  defaultSampling,
  defaultValidation,
  type GrowOrder,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background } from '../chat/background.ts';
import type { DatasetJobs, NewExample } from '../dataset-engine/messages.ts';
import { grow, type GrowContext, type GrowRequest } from '../datasets/grow/index.ts';
import type { HelperEngine } from '../engine/index.ts';
import type { Library } from '../library/index.ts';
import type { LiveDataset } from './live-dataset.ts';

export interface GrowParts {
  helper: HelperEngine<DatasetJobs>;
  library: Pick<Library, 'get'>;
  background: Pick<Background, 'reply'>;
  /** A dataset that has its file. Errors: `not-found`, `invalid-input`. */
  open(datasetId: number): Dataset;
}

/** Examples that are read at once, at most. */
const readAtOnce = 20;

/**
 * Has a model write a dataset, or what is missing of it. Each example is in the file before the next one is written. Errors: those of
 * `grow`, of the library and of replies; `invalid-input` (it has written nothing), `cancelled`.
 */
export async function growDataset(
  live: LiveDataset,
  order: GrowOrder,
  { helper, library, background, open }: GrowParts,
): Promise<{ counts: DatasetCounts }> {
  const { signal } = live.controller;
  const file = live.value.path;
  await helper.run('create', { file });
  live.beginGrowing(await helper.run('counts', { file }));
  const model = await library.get(order.modelId);
  const written: NewExample[] = [];
  for await (const { source, content } of examplesIn(file, helper)) written.push({ source, content });

  const context: GrowContext = {
    ...{ written, signal },
    generate: ({ systemPrompt, turns, seed, temperature, maxTokens }: GrowRequest) => {
      const sampling = { ...defaultSampling, seed, temperature, maxTokens };
      // What counts are the examples: thoughts would take most of the time, and of the room in a reply.
      const request = { model, systemPrompt, turns, adapters: [], sampling, thoughtless: true };
      return background.reply(request, signal);
    },
    async *texts() {
      if (order.kind !== 'pairs') return;
      for await (const { source, content } of examplesIn(open(order.datasetId).path, helper)) {
        if (content.kind === 'text') yield { text: content.text, source };
      }
    },
    onProgress: (share, current) => live.tell({ share: Math.min(1, Math.max(0, share)), current }),
    onLeftOut: (reason) => live.leaveOut(reason),
  };
  for await (const example of grow(order, context)) {
    signal.throwIfAborted();
    await helper.run('add', { file, examples: [example] });
    live.count(example);
  }
  signal.throwIfAborted();
  if (live.value.counts.conversations + live.value.counts.texts === 0) throw nothingWritten(model.name);
  return { counts: await heldBack(helper, file, order) };
}

/** Draws what is measured on of what a model has written. */
export function heldBack(
  helper: HelperEngine<DatasetJobs>,
  file: string,
  { seed }: GrowOrder,
): Promise<DatasetCounts> {
  return helper.run('split', { file, validation: defaultValidation, seed });
}

async function* examplesIn(file: string, helper: HelperEngine<DatasetJobs>) {
  let after = 0;
  for (;;) {
    const examples = await helper.run('read', { file, after, limit: readAtOnce });
    yield* examples;
    const last = examples.at(-1);
    if (!last) return;
    after = last.id;
  }
}

function nothingWritten(model: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${model} has written nothing that can be learnt from.`,
    'Choose a larger model, or one that follows instructions.',
  );
}
