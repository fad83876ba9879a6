import { readExamples, type ReadReport } from '../datasets/index.ts';
import { DatasetWriter } from './dataset-writer.ts';
import { contentOf } from './example-content.ts';
import type { ImportEvent, ImportInput, ImportResult } from './messages.ts';

/** Reads files into a new dataset file. */
export async function runImport(
  { sources, validation, seed, out }: ImportInput,
  { signal }: { signal: AbortSignal; emit: (event: ImportEvent) => void },
): Promise<ImportResult> {
  const report: ReadReport = { examples: 0, skipped: [] };
  await using writer = await DatasetWriter.create(out, { validation, seed });
  for (const { path, label, me, dates } of sources) {
    for await (const example of readExamples(path, { signal, report, me, dates })) {
      writer.append({ content: contentOf(example), source: label });
    }
  }
  const counts = await writer.finish();
  return { counts, leftOut: report.skipped, cleaned: null, sampledFrom: writer.sampledFrom };
}
