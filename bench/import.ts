import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { chatPerson, type ImportData, writeImportData, writeLargeLines } from './import-data.ts';
import { median } from './median.ts';

/**
 * How fast exports are made into a dataset, and how much memory that takes: ChatGPT's export, OpenAI's JSONL, a WhatsApp chat and
 * a table, a quarter of the examples in each, through `puna dataset import`, with `--clean` and without, and into a dataset file
 * as the page does it. Beside it, in turns, so that a busy machine slows all: `JSON.parse` of every line of a JSONL of the same
 * examples, which is the least that an import could do, and with `--python` what a person would write with Python's modules
 * json, re and csv. All are processes of their own, whose start counts. At last one JSONL of `--large` megabytes, for the memory.
 *
 *     npm run bench:import -- [--examples N] [--rounds N] [--large MB] [--folder DIR] [--python FILE]
 */
const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    large: { type: 'string', default: '300' },
    folder: { type: 'string', default: tmpdir() },
    python: { type: 'string' },
  },
});
/**
 * What an import with cleaning may take: time of processors for that of plain parsing; and megabytes, in which the cleaners remember
 * half a million examples (150), SQLite has its pages (64), and V8 leaves for later what it does not need to collect yet (200).
 */
const wanted = { ratio: 100, megabytes: { lines: 450, dataset: 600 } };

const node = [process.execPath, '--import', join(import.meta.dirname, 'tell-usage.ts')];

interface Measured {
  seconds: number;
  /** Of processors, which others on the machine change less. */
  processorSeconds: number;
  peakBytes: number;
}

const folder = await mkdtemp(join(values.folder, 'puna-bench-'));
try {
  await mkdir(join(folder, 'plain'));
  const data = await writeImportData(folder, Number(values.examples));
  const ways = waysOf(data);
  const rounds = new Map(ways.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, words } of ways) rounds.get(name)?.push(await measure(words));
  }

  console.log(`${values.examples} examples, ${megabytes(data.bytes)} MB; medians of ${values.rounds} rounds`);
  console.table(
    Object.fromEntries(
      ways.map(({ name, bytes }) => {
        const measured = rounds.get(name) ?? [];
        const seconds = median(measured.map((each) => each.seconds));
        return [name, row(seconds, Number(values.examples), bytes, measured)];
      }),
    ),
  );
  const [plain = [], , cleaned = []] = [...rounds.values()];
  const ratios = cleaned.map(
    ({ processorSeconds }, round) => processorSeconds / (plain[round]?.processorSeconds ?? NaN),
  );
  const all = ratios.map((ratio) => ratio.toFixed(1)).join(', ');
  console.log(
    `Time of processors, puna --clean : JSON.parse = ${median(ratios).toFixed(1)} (${all}; wanted: ≤ ${wanted.ratio})`,
  );

  const large = join(folder, 'large.jsonl');
  await writeLargeLines(large, Number(values.large) * 1e6);
  const { size } = await stat(large);
  for (const [name, words, most] of [
    ['puna --clean', puna([large, '--clean']), wanted.megabytes.lines],
    ['dataset file, cleaned', dataset([large]), wanted.megabytes.dataset],
  ] as const) {
    const { seconds, peakBytes } = await measure(words);
    console.log(
      `One JSONL of ${megabytes(size)} MB, ${name}: ${seconds.toFixed(1)} s, peak memory ` +
        `${megabytes(peakBytes)} MB (wanted: ≤ ${most})`,
    );
    if (peakBytes > most * 1e6) process.exitCode = 1;
  }
  if (median(ratios) > wanted.ratio) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Way {
  name: string;
  /** Program and its arguments. */
  words: string[];
  bytes: number;
}

function waysOf({ files, plain, bytes, plainBytes }: ImportData): Way[] {
  const script = (name: string) => join(import.meta.dirname, name);
  const all = [...Object.values(files), '--me', chatPerson];
  const ways = [
    { name: 'JSON.parse', words: [...node, script('import-plain.ts'), plain], bytes: plainBytes },
    { name: 'puna', words: puna(all), bytes },
    { name: 'puna --clean', words: puna([...all, '--clean']), bytes },
    { name: 'dataset file, cleaned', words: dataset(Object.values(files)), bytes },
  ];
  if (values.python === undefined) return ways;
  const out = join(folder, 'python.jsonl');
  const words = [values.python, script('import-python.py'), ...Object.values(files), out];
  return [...ways, { name: 'Python', words, bytes }];
}

function puna(words: readonly string[]): string[] {
  const out = join(folder, 'imported.jsonl');
  return [...node, 'src/main/cli.ts', 'dataset', 'import', ...words, '--out', out, '--json'];
}

function dataset(paths: readonly string[]): string[] {
  const out = join(folder, 'imported.dataset');
  return [...node, join(import.meta.dirname, 'import-dataset.ts'), out, chatPerson, ...paths];
}

/** Runs a program to its end. Those of Node tell their memory and time beside what they print, the Python script prints them. */
async function measure([program = '', ...words]: readonly string[]): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [said, complaint, told] = await Promise.all(
    child.stdio.slice(1).map((stream) => text(stream as Readable)),
  );
  await ended;
  const seconds = (performance.now() - begin) / 1000;
  if (child.exitCode !== 0) throw new Error(`${words.join(' ')} failed: ${complaint}`);
  const [peakBytes = NaN, processorSeconds = NaN] = (told || said || '').trim().split(' ').map(Number);
  return { seconds, processorSeconds, peakBytes };
}

function row(seconds: number, examples: number, bytes: number, measured: readonly Measured[]) {
  return {
    seconds: Number(seconds.toFixed(2)),
    'of processors': Number(median(measured.map((each) => each.processorSeconds)).toFixed(2)),
    'examples/s': Math.round(examples / seconds),
    'MB/s': Number((bytes / 1e6 / seconds).toFixed(1)),
    'peak MB': megabytes(Math.max(...measured.map(({ peakBytes }) => peakBytes))),
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
