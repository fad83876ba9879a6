import { useDataset } from '../../src/main/dataset-engine/dataset-file.ts';
import { DatasetWriter, type WriterOptions } from '../../src/main/dataset-engine/dataset-writer.ts';
import type { ExampleContent, ExampleFilter, ExampleRow } from '../../src/shared/contract/index.ts';

export function text(words: string): ExampleContent {
  return { kind: 'text', text: words };
}

/** Questions and answers by turns. */
export function talk(...texts: string[]): ExampleContent {
  const turns = texts.map((words, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    ...{ text: words, learnt: true },
  }));
  return { kind: 'conversation', system: '', turns };
}

/** Writes a dataset file whose examples come from `1`, `2`… Gives back its path. */
export async function writeDataset(
  path: string,
  contents: readonly ExampleContent[],
  options: Partial<WriterOptions> = {},
): Promise<string> {
  await using writer = await DatasetWriter.create(path, { validation: 0, seed: 1, ...options });
  contents.forEach((content, index) => writer.append({ content, source: `${index + 1}` }));
  await writer.finish();
  return path;
}

/** All that a filter finds. */
export async function rows(path: string, filter: Partial<ExampleFilter> = {}): Promise<ExampleRow[]> {
  return useDataset(path, (file) => {
    const { examples, total } = file.page({ query: '', show: 'all', ...filter }, 0, 500);
    if (examples.length !== Math.min(500, total)) throw new Error('A page has less than there is.');
    return examples;
  });
}
