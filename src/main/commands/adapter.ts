import type { Command } from 'commander';
import { extname, resolve } from 'node:path';
import type { WeightsOperation } from '../weights/messages.ts';
import { adapter as scaledAdapter, integer } from './arguments.ts';
import { exitStatus, Output, runCommand } from './output.ts';
import { runOperation, typeOption } from './weights-run.ts';

interface Common {
  out: string;
  json?: boolean;
}
interface MergeOptions extends Common {
  base: string;
  adapter: { path: string; scale: number }[];
  type?: string;
  anyBase?: boolean;
}
interface ConvertOptions extends Common {
  base?: string;
}
interface ExtractOptions extends Common {
  base: string;
  target: string;
  rank: number;
}

const json = ['--json', 'print JSON lines'] as const;
/** A usual rank for what whole models have learnt: small enough to be worth it, large enough to say most of it. */
const usualRank = 64;

export function addAdapter(program: Command): void {
  const adapter = program
    .command('adapter')
    .description('LoRA adapters: merged into models, made of them, and in the forms of PEFT and GGUF');

  adapter
    .command('merge')
    .description('make one model of a base and adapters')
    .requiredOption('--base <path>', 'folder or file of the model')
    .requiredOption('--adapter <path[:scale]>', 'adapter; may be given several times', scaledAdapter)
    .requiredOption('--out <path>', 'folder to write, or GGUF file (a name that ends in .gguf)')
    .addOption(typeOption())
    .option('--any-base', 'also where an adapter tells that it was trained on another file')
    .option(...json)
    .action((options: MergeOptions) => {
      const { base, adapter: adapters, type = null, anyBase = false } = options;
      return runHere(options, (out) => ({
        ...{ kind: 'adapter-merge', base: resolve(base), out, type, anyBase },
        adapters: adapters.map(({ path, scale }) => ({ path: resolve(path), scale })),
      }));
    });

  adapter
    .command('import')
    .description('make a GGUF adapter, as Puna and llama.cpp use it, of one of PEFT')
    .argument('<folder>', 'with adapter_config.json and the weights')
    .option('--base <path>', 'model that it is for, in any form; an adapter that came from GGUF needs none')
    .requiredOption('--out <file>', 'GGUF file to write')
    .option(...json)
    .action((path: string, options: ConvertOptions, command: Command) => {
      if (!isGguf(options.out))
        return wrongUsage(command, 'the name of a GGUF adapter (--out) ends in .gguf');
      return runHere(options, (out) => conversion(path, options, out));
    });

  adapter
    .command('export')
    .description('make an adapter of PEFT of one in GGUF')
    .argument('<file>', 'GGUF adapter')
    .option('--base <path>', 'model that it is for; needed where the adapter does not tell its heads')
    .requiredOption('--out <folder>', 'folder to write')
    .option(...json)
    .action((path: string, options: ConvertOptions, command: Command) => {
      if (isGguf(options.out)) return wrongUsage(command, 'an adapter of PEFT (--out) is a folder');
      return runHere(options, (out) => conversion(path, options, out));
    });

  adapter
    .command('extract')
    .description('make an adapter of the difference between a model and its base')
    .requiredOption('--base <path>', 'folder or file of the base')
    .requiredOption('--target <path>', 'folder or file of the model that was trained from it')
    .option('--rank <n>', 'numbers between A and B', integer({ min: 1, max: 1024 }), usualRank)
    .requiredOption('--out <path>', 'folder to write, or GGUF file (a name that ends in .gguf)')
    .option(...json)
    .action(({ base, target, rank, ...options }: ExtractOptions) =>
      runHere(options, (out) => ({
        ...{ kind: 'adapter-extract', base: resolve(base), target: resolve(target), rank, out },
      })),
    );
}

function conversion(path: string, { base }: ConvertOptions, out: string): WeightsOperation {
  return {
    kind: 'adapter-convert',
    adapter: resolve(path),
    base: base === undefined ? null : resolve(base),
    out,
  };
}

function isGguf(path: string): boolean {
  return extname(path).toLowerCase() === '.gguf';
}

function wrongUsage(command: Command, what: string): never {
  return command.error(`error: ${what}`, { exitCode: exitStatus.wrongUsage });
}

function runHere(options: Common, operationFor: (out: string) => WeightsOperation): Promise<void> {
  return runCommand(async (signal) => {
    const output = new Output(options.json ?? false);
    const result = await runOperation(operationFor(resolve(options.out)), { output, signal });
    output.event({ type: 'result', ...result });
  });
}
