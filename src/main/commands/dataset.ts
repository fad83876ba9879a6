import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { clean, type CleanReport, defaultCleanSettings, emptyCleanReport } from '../datasets/clean/index.ts';
import { exampleLine } from '../datasets/example-line.ts';
import { importFiles } from '../datasets/import/folder.ts';
import type { ImportFiles } from '../datasets/import/import-files.ts';
import { type ColumnMapping, type Example, readExamples, type ReadReport } from '../datasets/index.ts';
import { mostExamples } from '../datasets/reservoir.ts';
import { writeAtomically } from '../storage/index.ts';
import { ArchiveReport } from './archive-report.ts';
import { column, integer } from './arguments.ts';
import { addDatasetGrow } from './dataset-grow.ts';
import { LineSample } from './line-sample.ts';
import { Output, runCommand } from './output.ts';

interface ImportOptions {
  out: string;
  me?: string;
  column?: ColumnMapping;
  dates?: string;
  clean?: boolean;
  most: number;
  json?: boolean;
}

/** Progress is told each time that another hundredth of the files has been read. */
const progressSteps = 100;

export function addDataset(program: Command): void {
  const dataset = program
    .command('dataset')
    .description('make data to learn from of the files that people have, or have a model write it');
  dataset
    .command('import')
    .description(
      'read exports of chats, documents and tables, and write them as JSONL of conversations and texts',
    )
    .argument(
      '<files...>',
      'exports (ChatGPT, Claude, KakaoTalk, WhatsApp, Telegram, Discord, Slack), documents, folders, ZIP archives',
    )
    .requiredOption('--out <file>', 'JSONL to write')
    .option('--me <name>', "whose messages become the assistant's, of chats between people")
    .option(
      '--column <what=name>',
      "a table's column: prompt, reply, system or text; may be given again",
      column,
    )
    .option('--dates <pattern>', 'how a chat writes dates that are not known, as in "D/M/YYYY, h:m - "')
    .option('--clean', 'leave out duplicates, boilerplate and what is too short, and mask personal data')
    .option(
      '--most <count>',
      'keep at most so many examples: of more, an even sample',
      integer({ min: 1, max: 1e9 }),
      mostExamples,
    )
    .option('--json', 'print JSON lines')
    .action((files: string[], options: ImportOptions) =>
      runCommand((signal) => importDataset(files, options, signal)),
    );
  addDatasetGrow(dataset);
}

async function importDataset(paths: string[], options: ImportOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const out = resolve(options.out);
  await using sources = await importFiles(
    paths.map((path) => resolve(path)),
    signal,
  );
  const { files, passedOver } = sources;
  const report: ReadReport = { examples: 0, skipped: [] };
  const cleaned = options.clean ? emptyCleanReport() : null;
  const found = examplesOf(sources, options, { report, signal, output });
  const examples = cleaned ? clean(found, defaultCleanSettings, cleaned) : found;
  const sample = new LineSample(options.most);
  await writeAtomically(out, linesOf(examples, sample), { signal });
  await sample.keepIn(out, signal);
  output.note('\r\u001b[K');
  const { skipped } = report;
  const { counts, sampledFrom } = sample;
  const result = {
    ...{ path: out, files: files.length, passedOver, ...counts, sampledFrom, skipped, cleaned },
  };
  output.event({ type: 'result', ...result });
  output.text(summary(result));
}

async function* examplesOf(
  sources: ImportFiles,
  { me, column: columns, dates }: ImportOptions,
  { report, signal, output }: { report: ReadReport; signal: AbortSignal; output: Output },
): AsyncGenerator<Example> {
  const { files } = sources;
  const archives = new ArchiveReport(sources, report);
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  let told = 0;
  for (const [index, path] of files.entries()) {
    const own = archives.begin(path);
    const shown = sources.fullName(path);
    const onProgress = (bytes: number) => {
      const progress = Math.min(1, (before + bytes) / Math.max(1, total));
      if (progress * progressSteps < told + 1) return;
      told = Math.floor(progress * progressSteps);
      const examples = own === report ? report.examples : report.examples + own.examples;
      output.event({ type: 'progress', progress, path: shown, examples });
      output.note(`\r\u001b[KReading ${told}%, ${examples} examples`);
    };
    try {
      yield* readExamples(path, { signal, report: own, me, columns, dates, onProgress });
    } catch (thrown) {
      signal.throwIfAborted();
      archives.fail(thrown, path);
    }
    archives.end(path, own);
    before += sizes[index] ?? 0;
  }
  archives.finish();
}

async function* linesOf(examples: AsyncIterable<Example>, sample: LineSample): AsyncGenerator<string> {
  for await (const example of examples) {
    sample.add(example);
    yield exampleLine(example);
  }
}

interface ImportResult {
  path: string;
  files: number;
  /** Files of folders and archives that nothing can be read from. */
  passedOver: number;
  conversations: number;
  texts: number;
  /** Examples that there were, where they were too many to keep all. */
  sampledFrom: number | null;
  skipped: ReadReport['skipped'];
  cleaned: CleanReport | null;
}

function summary(result: ImportResult): string {
  const { path, files, passedOver, conversations, texts, sampledFrom, skipped, cleaned } = result;
  const lines = [
    `${conversations} conversations and ${texts} texts of ${files} ${files === 1 ? 'file' : 'files'}.`,
    ...(sampledFrom === null
      ? []
      : [`These are an even sample: there were ${sampledFrom} examples, more than --most.`]),
    ...(passedOver > 0 ? [`${passedOver} files are of kinds that cannot be read.`] : []),
    ...skipped.map(
      ({ reason, count, where }) => `${count} left out: ${reason}${where ? ` (${where.join('; ')})` : ''}`,
    ),
    ...(cleaned?.cleaners ?? []).flatMap(({ reasons }) =>
      reasons.map(({ reason, count }) => `${count} cleaned: ${reason}`),
    ),
    path,
  ];
  return `${lines.join('\n')}\n`;
}
