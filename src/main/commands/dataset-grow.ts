import type { Command } from 'commander';
import { Option } from 'commander';
import { basename, resolve } from 'node:path';
import { automaticLoadSettings, defaultSampling, type GrowOrder } from '../../shared/contract/index.ts';
import { defaultSimilarity } from '../../shared/default-similarity.ts';
import { PunaError } from '../../shared/error.ts';
import type { NewExample } from '../dataset-engine/messages.ts';
import { exampleLine } from '../datasets/example-line.ts';
import { grow, type GrowContext, type GrowRequest } from '../datasets/grow/index.ts';
import { importFiles } from '../datasets/import/folder.ts';
import { readExamples } from '../datasets/index.ts';
import { Engine, launchChildProcess } from '../engine/index.ts';
import type { InferenceJobs } from '../inference/messages.ts';
import { writeAtomically } from '../storage/index.ts';
import { integer, number } from './arguments.ts';
import { Output, runCommand } from './output.ts';

interface GrowOptions {
  model: string;
  out: string;
  kind: GrowOrder['kind'];
  data?: string[];
  topics?: string[];
  count?: number;
  exchanges: number;
  language: 'en' | 'ko';
  similarity?: number;
  seed: number;
  json?: boolean;
}

/** Enough to see what a model is good for; more are asked for by number. */
const defaultTasks = 100;
const defaultPairs = 3;

export function addDatasetGrow(dataset: Command): void {
  dataset
    .command('grow')
    .description(
      'have a model write new tasks, conversations on topics, or question–answer pairs about texts',
    )
    .requiredOption('--model <file>', 'GGUF model that writes')
    .requiredOption('--out <file>', 'JSONL to write')
    .addOption(
      new Option('--kind <kind>', 'what it writes')
        .choices(['self-instruct', 'self-chat', 'pairs'])
        .makeOptionMandatory(),
    )
    .option('--data <files...>', 'documents and folders that pairs are made of')
    .option('--topics <topic...>', 'what conversations are about, one each; may be given again')
    .option(
      '--count <n>',
      `tasks in all (${defaultTasks}), or pairs for a passage (${defaultPairs})`,
      integer({ min: 1, max: 10_000 }),
    )
    .option('--exchanges <n>', 'questions with answers in a conversation', integer({ min: 1, max: 10 }), 3)
    .addOption(
      new Option('--language <code>', 'of tasks and conversations').choices(['en', 'ko']).default('en'),
    )
    .option(
      '--similarity <x>',
      `leave out what is as similar to an earlier one by ROUGE-L (tasks ${defaultSimilarity['self-instruct']}, else ${defaultSimilarity.pairs})`,
      number({ min: 0.3, max: 1 }),
    )
    .option('--seed <n>', 'same seed, same data', integer({ min: 0, max: 0xffff_ffff }), 1)
    .option('--json', 'print JSON lines')
    .action((options: GrowOptions) => runCommand((signal) => growDataset(options, signal)));
}

async function growDataset(options: GrowOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const out = resolve(options.out);
  const order = orderOf(options);
  const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });
  const written = new Written();
  try {
    const { device } = await engine.run(
      'load',
      { path: resolve(options.model), settings: automaticLoadSettings },
      { signal },
    );
    output.note(`${device}\n`);
    const context: GrowContext = {
      generate: (request) => reply(engine, request, signal),
      texts: () => textsOf(options.data ?? [], signal),
      written: [],
      signal,
      onProgress(progress, current) {
        const { examples } = written;
        output.event({ type: 'progress', progress, examples, current });
        output.note(`\r\u001b[K${Math.floor(progress * 100)}%, ${examples} examples: ${shortened(current)}`);
      },
      onLeftOut: (reason) => written.leaveOut(reason),
    };
    const lines = written.linesOf(grow(order, context));
    // Before there is anything to keep, whatever was there under the name stays.
    const first = await lines.next();
    if (!first.done) await writeAtomically(out, joined(first.value, lines));
  } finally {
    await engine.stop();
  }
  output.note('\r\u001b[K');
  const { examples, leftOut } = written;
  if (written.failure !== null && examples === 0) throw written.failure;
  output.event({ type: 'result', path: out, examples, leftOut, stopped: signal.aborted });
  output.text(summary(out, written));
  if (written.failure !== null && !signal.aborted) throw written.failure;
}

function orderOf({ kind, count, data = [], topics = [], ...options }: GrowOptions): GrowOrder {
  const { language, exchanges, similarity = defaultSimilarity[kind], seed } = options;
  const common = { name: basename(options.out), modelId: 1, similarity, seed };
  switch (kind) {
    case 'self-instruct':
      return { ...common, kind, language, seeds: [], count: count ?? defaultTasks };
    case 'self-chat':
      if (topics.length > 0) return { ...common, kind, language, topics, exchanges };
      throw new PunaError(
        'invalid-input',
        'Nothing says what the conversations are to be about.',
        'Give topics with --topics.',
      );
    case 'pairs':
      if (data.length > 0) return { ...common, kind, datasetId: 1, perText: count ?? defaultPairs };
      throw new PunaError(
        'invalid-input',
        'Nothing says which texts the pairs are to be made of.',
        'Give files or folders with --data.',
      );
  }
}

async function reply(
  engine: Engine<InferenceJobs>,
  { systemPrompt, turns, ...sampling }: GrowRequest,
  signal: AbortSignal,
): Promise<string> {
  let text = '';
  await engine.run(
    'reply',
    {
      ...{ systemPrompt, turns, continued: null, adapters: [] },
      sampling: { ...defaultSampling, ...sampling },
      // Thoughts would take most of the time, and of the room in a reply.
      thoughtless: true,
    },
    {
      signal,
      onEvent(event) {
        if (event.type === 'piece' && event.part === 'text') text += event.piece;
      },
    },
  );
  return text;
}

async function* textsOf(
  data: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<{ text: string; source: string }> {
  await using found = await importFiles(
    data.map((path) => resolve(path)),
    signal,
  );
  for (const path of found.files) {
    const source = found.nameInArchive(path) ?? basename(path);
    try {
      for await (const example of readExamples(path, { signal })) {
        if (example.kind === 'text') yield { text: example.text, source };
      }
    } catch (thrown) {
      throw found.named(thrown, path);
    }
  }
}

/** What has been written so far. What a model took hours for outlives the failure that ends it, Ctrl-C included. */
class Written {
  examples = 0;
  leftOut: { reason: string; count: number }[] = [];
  /** What ended the writing before it was done. */
  failure: unknown = null;

  leaveOut(reason: string): void {
    const known = this.leftOut.find((entry) => entry.reason === reason);
    if (known) known.count++;
    else this.leftOut.push({ reason, count: 1 });
  }

  async *linesOf(examples: AsyncIterable<NewExample>): AsyncGenerator<string, undefined> {
    try {
      for await (const { content } of examples) {
        this.examples++;
        yield exampleLine(content);
      }
    } catch (thrown) {
      this.failure = thrown;
    }
    return undefined;
  }
}

async function* joined(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

/** A terminal's line has room for so much beside the numbers. */
const shownCharacters = 50;

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters - 1)}…` : line;
}

function summary(out: string, { examples, leftOut, failure }: Written): string {
  const lines = [
    `${examples} ${examples === 1 ? 'example' : 'examples'}${failure === null ? '' : ', which is not all that was asked for'}.`,
    ...leftOut.map(({ reason, count }) => `${count} left out: ${reason}`),
    'Look at them before a model learns from them.',
    out,
  ];
  return `${lines.join('\n')}\n`;
}
