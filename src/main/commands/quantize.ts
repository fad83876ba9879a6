import { type Command, InvalidArgumentError, Option } from 'commander';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Engine, launchChildProcess } from '../engine/index.ts';
import { importanceContext, importanceOnce } from '../runs/importance-once.ts';
import type { QuantizeInput, QuantizeJobs, QuantizeResult } from '../weights/quantize/messages.ts';
import { fallbackNotes, importanceNotes } from '../weights/quantize/operation.ts';
import {
  type QuantizationName,
  quantizationNamed,
  quantizationTypes,
  recommendedQuantization,
} from '../weights/quantize/quantization-types.ts';
import { integer } from './arguments.ts';
import { Output, runCommand } from './output.ts';

interface QuantizeOptions {
  type: QuantizationName;
  imatrix?: string;
  imatrixText?: string;
  imatrixOut?: string;
  chunks?: number;
  context: number;
  requantize?: boolean;
  threads?: number;
  json?: boolean;
}

export function addQuantize(program: Command): void {
  program
    .command('quantize')
    .description('store the weights of a model in fewer bits')
    .argument('<in>', 'GGUF model')
    .argument('<out>', 'GGUF model to write')
    .option(
      '--type <name>',
      'what to quantize to; an unknown one lists all',
      quantization,
      recommendedQuantization,
    )
    .addOption(
      new Option('--imatrix <file>', 'importance matrix: which weights need their digits most').conflicts(
        'imatrixText',
      ),
    )
    .option('--imatrix-text <file>', 'text to compute the importance matrix from')
    .option('--imatrix-out <file>', 'where to keep the importance matrix that was computed')
    .option('--chunks <n>', 'pieces of the text that are read at most', integer({ min: 1, max: 1_000_000 }))
    .option('--context <n>', 'tokens of a piece', integer({ min: 32, max: 1_048_576 }), importanceContext)
    .option('--requantize', 'also quantize what is quantized already, which adds up errors')
    .option('--threads <n>', 'CPU threads', integer({ min: 1, max: 512 }))
    .option('--json', 'print JSON lines')
    .action((from: string, to: string, options: QuantizeOptions) =>
      runCommand((signal) => quantize(resolve(from), resolve(to), options, signal)),
    );
}

async function quantize(
  from: string,
  to: string,
  options: QuantizeOptions,
  signal: AbortSignal,
): Promise<void> {
  const output = new Output(options.json ?? false);
  const { type, imatrixText, threads = null, requantize = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'puna-imatrix-'));
  try {
    const kept = options.imatrixOut ?? join(folder, 'imatrix.gguf');
    if (imatrixText !== undefined)
      await computeImportance({ from, to: resolve(kept), options, output, signal });
    const given = imatrixText === undefined ? options.imatrix : kept;
    const result = await quantizeOnce(
      {
        ...{ from, to, type, threads, requantize, keepOutput: false, pure: false },
        imatrix: given === undefined ? null : resolve(given),
      },
      { output, signal },
    );
    output.event({ type: 'result', ...result });
    output.text(summary(result, type));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function computeImportance(job: {
  from: string;
  to: string;
  options: QuantizeOptions;
  output: Output;
  signal: AbortSignal;
}): Promise<void> {
  const { from, to, options, output, signal } = job;
  const { chunks = null, context, threads = null } = options;
  const { tokens } = await importanceOnce(
    {
      ...{ model: from, text: resolve(options.imatrixText ?? ''), out: to },
      ...{ context, chunks, threads, device: 'auto', processOutput: false },
    },
    {
      launchEngine: launchChildProcess,
      signal,
      onEvent: (event) => {
        output.event({ ...event });
        output.note(
          event.type === 'loading'
            ? `\r\u001b[KLoading ${percent(event.progress)}`
            : `\r\u001b[KImportance: piece ${event.chunk} of ${event.chunks}`,
        );
      },
    },
  );
  output.note(`\r\u001b[KImportance of ${tokens} tokens.\n`);
}

/** In an engine process of its own: llama.cpp does not stop in the middle, but a process can be ended. */
async function quantizeOnce(
  input: QuantizeInput,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<QuantizeResult> {
  const engine = new Engine<QuantizeJobs>({ entry: 'weights-engine', launch: launchChildProcess });
  try {
    return await engine.run('quantize', input, {
      signal,
      onEvent: (event) => {
        output.event({ ...event });
        if (event.type === 'plan') output.note(`About ${gigabytes(event.bytes)}.\n`);
        else output.note(`\r\u001b[KQuantizing ${percent(event.progress)}`);
      },
    });
  } finally {
    output.note('\r\u001b[K');
    await engine.stop();
  }
}

/** A parser for the name of a type. */
function quantization(text: string): QuantizationName {
  const known = quantizationNamed(text);
  if (known) return known.name;
  const lines = quantizationTypes.map(
    ({ name, bits, advice, needsImportance }) =>
      `  ${name.padEnd(10)} ${bits.toFixed(2).padStart(5)} bits  ${advice}${needsImportance ? ' Needs an importance matrix.' : ''}`,
  );
  throw new InvalidArgumentError(`It must be one of these:\n${lines.join('\n')}`);
}

function summary(
  { path, bytes, bytesBefore, fallbacks, withoutImportance }: QuantizeResult,
  type: string,
): string {
  const notes = [...fallbackNotes(fallbacks), ...importanceNotes(withoutImportance)];
  const share = percent(bytes / bytesBefore);
  return `${[`${type}: ${gigabytes(bytes)}, ${share} of what it was.`, ...notes, path].join('\n')}\n`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
