import { type Command, InvalidArgumentError, Option } from 'commander';
import { resolve } from 'node:path';
import { mergeMethods, type MergeMethod } from '../../shared/contract/weights.ts';
import type { WeightsOperation } from '../weights/messages.ts';
import { integer, number } from './arguments.ts';
import { exitStatus, Output, runCommand } from './output.ts';
import { runOperation, typeOption } from './weights-run.ts';

interface MergeOptions {
  method?: MergeMethod;
  model?: { path: string; weight: number }[];
  recipe?: string;
  base?: string;
  density?: number;
  t?: number;
  lambda?: number;
  seed: number;
  out: string;
  type?: string;
  json?: boolean;
}

export function addMerge(program: Command): void {
  program
    .command('merge')
    .description('make one model of several of the same shape')
    .addOption(new Option('--method <name>', 'how they are merged').choices(mergeMethods))
    .option(
      '--model <path[:weight]>',
      'model with its weight, 1 where none is named; given once for each',
      weightedModel,
    )
    .option('--base <path>', 'what task arithmetic, ties and dare take differences from')
    .option(
      '--density <x>',
      'share of each difference that is kept (ties, dare)',
      number({ min: 0.001, max: 1 }),
    )
    .option('--t <x>', 'slerp: 0 is the first model, 1 the second', number({ min: 0, max: 1 }))
    .option('--lambda <x>', 'factor of the sum of differences', number({ min: -100, max: 100 }))
    .option('--seed <n>', 'which numbers dare drops', integer({ min: 0, max: 0xffff_ffff }), 0)
    .option('--recipe <file>', "a merge as mergekit's YAML describes it, instead of all of these")
    .requiredOption('--out <path>', 'folder to write, or GGUF file (a name that ends in .gguf)')
    .addOption(typeOption())
    .option('--json', 'print JSON lines')
    .action((options: MergeOptions, command: Command) => {
      const operation = operationOf(options);
      if (typeof operation === 'string')
        command.error(`error: ${operation}`, { exitCode: exitStatus.wrongUsage });
      else return runCommand((signal) => merge(operation, options, signal));
    });
}

/** `PATH` or `PATH:WEIGHT`, collected from every time that the option is given. */
function weightedModel(text: string, earlier: { path: string; weight: number }[] = []) {
  const [, path = text, weight = '1'] = /^(.+):(-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)$/i.exec(text) ?? [];
  if (path === '') throw new InvalidArgumentError('It must be a path.');
  return [...earlier, { path: resolve(path), weight: Number(weight) }];
}

/** The operation, or what is wrong with the words. */
function operationOf(options: MergeOptions): WeightsOperation | string {
  const { method, model: models = [], recipe, base, density, t, lambda, seed, out, type = null } = options;
  if (recipe !== undefined) {
    const said = { method, model: options.model, base, density, t, lambda };
    const [extra] = Object.entries(said).find(([, value]) => value !== undefined) ?? [];
    if (extra !== undefined) return `--recipe stands alone, without --${extra}: it says all of these itself`;
    return { kind: 'recipe', recipe: resolve(recipe), out: resolve(out), type };
  }
  if (method === undefined || models.length === 0) return 'name --method and --model, or a --recipe';
  return {
    ...{ kind: 'merge', method, models, base: base === undefined ? null : resolve(base) },
    ...{ density: density ?? null, t: t ?? null, lambda: lambda ?? null, seed, out: resolve(out), type },
  };
}

async function merge(operation: WeightsOperation, options: MergeOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const result = await runOperation(operation, { output, signal });
  output.event({ type: 'result', ...result });
}
