import type { Command } from 'commander';
import { extname, resolve } from 'node:path';
import { launchChildProcess } from '../engine/index.ts';
import { firstWords } from '../operations/index.ts';
import type { WeightsResult } from '../weights/messages.ts';
import { Output, runCommand } from './output.ts';
import { runOperation, typeOption } from './weights-run.ts';

interface Common {
  base: string;
  out: string;
  json?: boolean;
}
interface ApplyOptions extends Common {
  delta: string;
  type?: string;
  anyBase?: boolean;
  talk: boolean;
}
interface MakeOptions extends Common {
  target: string;
  compress?: boolean;
}

export function addDelta(program: Command): void {
  const delta = program
    .command('delta')
    .description('what was learnt apart from what it was learnt on: target = base + delta');

  delta
    .command('apply')
    .description('make the model of a base and a delta, as Vicuna was published')
    .requiredOption('--base <path>', 'folder or file of the base')
    .requiredOption('--delta <path>', 'folder or file of the delta')
    .requiredOption('--out <path>', 'folder to write, or GGUF file (a name that ends in .gguf)')
    .addOption(typeOption())
    .option('--any-base', 'also with another base than the delta was made from, without proof')
    .option('--no-talk', 'do not load the result to hear its first words')
    .option('--json', 'print JSON lines')
    .action((options: ApplyOptions) => runCommand((signal) => apply(options, signal)));

  delta
    .command('make')
    .description('make the delta between a base and a target')
    .requiredOption('--base <path>', 'folder or file of the base')
    .requiredOption('--target <path>', 'folder or file of the target')
    .requiredOption('--out <path>', 'folder to write, or GGUF file (a name that ends in .gguf)')
    .option('--compress', 'pack the weights with Zstandard; only Puna reads them then')
    .option('--json', 'print JSON lines')
    .action((options: MakeOptions) => runCommand((signal) => make(options, signal)));
}

async function apply(options: ApplyOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const { base, delta, out, type = null, anyBase = false, talk } = options;
  const result = await runOperation(
    { kind: 'delta-apply', base: resolve(base), delta: resolve(delta), out: resolve(out), type, anyBase },
    { output, signal },
  );
  const words = talk ? await heard(result, output, signal) : null;
  output.event({ type: 'result', ...result, firstWords: words });
}

/** The first words of a result that can be loaded; that it cannot speak is worth a word, and no failure. */
async function heard({ out }: WeightsResult, output: Output, signal: AbortSignal): Promise<string | null> {
  if (extname(out) !== '.gguf') return null;
  try {
    const words = await firstWords({ path: out }, { launchEngine: launchChildProcess, signal });
    output.text(words === null ? 'It says nothing.\n' : `Its first words: ${words}\n`);
    return words;
  } catch (thrown) {
    signal.throwIfAborted();
    output.text(`It could not be heard: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return null;
  }
}

async function make(options: MakeOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const { base, target, out, compress = false } = options;
  const result = await runOperation(
    { kind: 'delta-make', base: resolve(base), target: resolve(target), out: resolve(out), compress },
    { output, signal },
  );
  output.event({ type: 'result', ...result });
}
