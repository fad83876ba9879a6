import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { type Example, readExamples, type ReadReport } from '../datasets/index.ts';
import { size } from '../weights/figures.ts';
import { formatInspection, type Inspection, inspect, table } from '../weights/inspect.ts';
import { Output, runCommand } from './output.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('say what a model, an adapter, a checkpoint or a dataset holds, without loading it')
    .argument('<path>', 'file or folder')
    .option('--json', 'print JSON')
    .action((path: string, options: { json?: boolean }) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        const inspection = await inspectAnything(path, signal);
        output.text(
          `${'examples' in inspection ? formatDataset(inspection) : formatInspection(inspection)}\n`,
        );
        output.event({ type: 'result', ...inspection });
      }),
    );
}

/** What a file of examples holds. */
interface DatasetInspection {
  path: string;
  kind: 'dataset';
  examples: number;
  conversations: number;
  texts: number;
  /** Of all conversations. */
  turns: number;
  /** Of what would be learnt from and read. */
  characters: number;
  skipped: ReadReport['skipped'];
  bytes: number;
}

/** Weights, or else examples. Errors: those of `inspect`, or for a file with examples in it those of `readExamples`. */
async function inspectAnything(path: string, signal: AbortSignal): Promise<Inspection | DatasetInspection> {
  try {
    return await inspect(path);
  } catch (thrown) {
    const isOther = thrown instanceof PunaError && thrown.code === 'invalid-input';
    if (!isOther || !(await stat(path)).isFile()) throw thrown;
    return inspectDataset(resolve(path), signal).catch((reason: unknown) => {
      signal.throwIfAborted();
      // What is neither weights nor text is more likely to be meant as weights.
      throw isText(path) ? reason : thrown;
    });
  }
}

/** Whether a name is one of those that people give to examples. */
function isText(path: string): boolean {
  return /\.(jsonl?|txt|md|ndjson)$/i.test(path);
}

async function inspectDataset(path: string, signal: AbortSignal): Promise<DatasetInspection> {
  const report: ReadReport = { examples: 0, skipped: [] };
  const found = { conversations: 0, texts: 0, turns: 0, characters: 0 };
  for await (const example of readExamples(path, { signal, report })) {
    if (example.kind === 'text') found.texts++;
    else {
      found.conversations++;
      found.turns += example.turns.length;
    }
    found.characters += charactersOf(example);
  }
  const { size: bytes } = await stat(path);
  return { path, kind: 'dataset', ...report, ...found, bytes };
}

function charactersOf(example: Example): number {
  if (example.kind === 'text') return example.text.length;
  return example.turns.reduce((sum, { text }) => sum + text.length, example.system.length);
}

function formatDataset({
  path,
  conversations,
  texts,
  turns,
  skipped,
  ...dataset
}: DatasetInspection): string {
  return table([
    ['File', path],
    ['Kind', 'dataset'],
    ...(conversations > 0 ? [['Conversations', `${conversations} with ${turns} turns`]] : []),
    ...(texts > 0 ? [['Texts', String(texts)]] : []),
    ['Characters', String(dataset.characters)],
    ...skipped.map(({ reason, count }) => ['Left out', `${reason} (${count})`]),
    ['Size', size(dataset.bytes)],
  ]);
}
