import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import type { ColumnMapping } from '../datasets/index.ts';
import { Engine, launchChildProcess } from '../engine/index.ts';
import {
  defaultTrainingSettings as defaults,
  type DeviceChoice,
  deviceChoices,
  type LoraTarget,
  loraTargets,
  type ScheduleKind,
  schedules,
  type TrainingEvent,
  type TrainingJobs,
  type TrainingResult,
  type TrainingSettings,
} from '../training/messages.ts';
import { column, integer, list, number } from './arguments.ts';
import { duration } from './duration.ts';
import { Output, runCommand } from './output.ts';
import { TrainingProgress } from './train-progress.ts';

interface TrainOptions {
  model: string;
  data: string[];
  validationData?: string[];
  me?: string;
  column?: ColumnMapping;
  dates?: string;
  out: string;
  rank: number;
  alpha?: number;
  rslora?: boolean;
  targets: LoraTarget[];
  dropout: number;
  all?: boolean;
  epochs: number;
  steps?: number;
  lr: number;
  schedule: ScheduleKind;
  warmup: number;
  decay: number;
  clip: number;
  batch: number;
  context: number;
  seed: number;
  validation: number;
  patience?: number;
  evaluateEvery: number;
  checkpointEvery: number;
  recompute: TrainingSettings['recompute'];
  exact?: boolean;
  resume?: boolean;
  threads?: number;
  device: DeviceChoice;
  json?: boolean;
}

const most = 1_000_000_000;

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('teach a model with examples: makes an adapter that llama.cpp loads beside it')
    .requiredOption('--model <file>', 'GGUF model')
    .requiredOption(
      '--data <file...>',
      'JSON, JSONL (OpenAI, ShareGPT, Alpaca), an export of chats, a document or text; may be given several times',
    )
    .option(
      '--validation-data <file...>',
      'examples that are only measured on, of the same kinds; instead of --validation',
    )
    .option('--me <name>', 'whose messages it learns to write, of chats between people')
    .option(
      '--column <what=name>',
      "a table's column: prompt, reply, system or text; may be given again",
      column,
    )
    .option('--dates <pattern>', 'how a chat writes dates that are not known, as in "D/M/YYYY, h:m - "')
    .requiredOption('--out <file>', 'adapter to write')
    .option('--rank <n>', 'numbers between A and B', integer({ min: 1, max: 1024 }), defaults.rank)
    .option(
      '--alpha <x>',
      'what is learnt counts alpha / rank; absent: 2 · rank',
      number({ min: 0, max: 1e6 }),
    )
    .option('--rslora', 'alpha / √rank instead')
    .option('--targets <list>', 'matrices that get an adapter', list(loraTargets), [...defaults.targets])
    .option('--dropout <x>', 'probability', number({ min: 0, max: 0.9 }), defaults.dropout)
    .option('--all', 'train all weights of a small model in F32 instead; writes a model')
    .option('--epochs <n>', 'how often the data is read', number({ min: 0, max: most }), defaults.epochs)
    .option('--steps <n>', 'steps, instead of epochs', integer({ min: 1, max: most }))
    .option('--lr <x>', 'highest learning rate', number({ min: 0, max: 10 }), defaults.learningRate)
    .addOption(
      new Option('--schedule <kind>', 'of the learning rate').choices(schedules).default(defaults.schedule),
    )
    .option('--warmup <n>', 'steps in which it rises', integer({ min: 0, max: most }), defaults.warmup)
    .option('--decay <x>', 'weight decay', number({ min: 0, max: 1 }), defaults.weightDecay)
    .option('--clip <x>', 'longest gradient; 0: any', number({ min: 0, max: most }), defaults.clip ?? 0)
    .option('--batch <n>', 'sequences of a step', integer({ min: 1, max: 65_536 }), defaults.batch)
    .option('--context <n>', 'tokens of a sequence', integer({ min: 32, max: 1_048_576 }), defaults.context)
    .option('--seed <n>', 'same seed, same adapter', integer({ min: 0, max: 0xffff_ffff }), defaults.seed)
    .option('--validation <x>', 'share to measure on', number({ min: 0, max: 0.9 }), defaults.validation)
    .option(
      '--patience <n>',
      'measurements without improvement until it stops',
      integer({ min: 1, max: most }),
    )
    .option('--evaluate-every <n>', 'steps', integer({ min: 1, max: most }), defaults.evaluateEvery)
    .option('--checkpoint-every <n>', 'steps', integer({ min: 1, max: most }), defaults.checkpointEvery)
    .addOption(
      new Option('--recompute <when>', 'layers are computed twice instead of being kept in memory')
        .choices(['auto', 'always', 'never'])
        .default(defaults.recompute),
    )
    .option('--exact', 'keep every digit on the way back: slower, needs more memory')
    .option('--resume', 'go on from the checkpoint beside --out')
    .option('--threads <n>', 'CPU threads', integer({ min: 1, max: 512 }))
    .addOption(
      new Option('--device <kind>', 'where it computes').choices(deviceChoices).default(defaults.device),
    )
    .option('--json', 'print JSON lines')
    .action((options: TrainOptions) => runCommand((signal) => train(options, signal)));
}

async function train(options: TrainOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchChildProcess });
  const progress = new TrainingProgress(output);
  try {
    const input = {
      model: resolve(options.model),
      data: options.data.map((path) => resolve(path)),
      validationData: (options.validationData ?? []).map((path) => resolve(path)),
      ...{ me: options.me ?? null, columns: options.column ?? null, dates: options.dates ?? null },
      out: resolve(options.out),
      settings: settingsOf(options),
      resume: options.resume ?? false,
    };
    const onEvent = (event: TrainingEvent) => {
      output.event({ ...event });
      progress.show(event);
    };
    const result = await engine.run('train', input, { signal, onEvent });
    output.event({ type: 'result', ...result });
    output.text(summary(result));
  } finally {
    await engine.stop();
  }
}

function settingsOf(options: TrainOptions): TrainingSettings {
  const { rank, alpha, rslora, targets, dropout, all, epochs, steps, lr, schedule, warmup } = options;
  const { decay, clip, batch, context, seed, validation, patience } = options;
  const { evaluateEvery, checkpointEvery, recompute, exact, threads, device } = options;
  return {
    trained: all ? 'all' : 'adapters',
    ...{ rank, alpha: alpha ?? 2 * rank, rankStabilized: rslora ?? false, targets, dropout },
    ...{ epochs, steps: steps ?? null, learningRate: lr, schedule, warmup, weightDecay: decay },
    ...{ clip: clip === 0 ? null : clip, batch, context, seed, validation, patience: patience ?? null },
    ...{ evaluateEvery, checkpointEvery, recompute, exact: exact ?? false, threads: threads ?? null, device },
    ...{ sampleEvery: null, memoryLimit: null },
  };
}

function summary(result: TrainingResult): string {
  const { adapter, last, finish, steps, loss, validationLoss, baseValidationLoss, seconds } = result;
  const how = { done: 'Done', early: 'Ended early', stopped: 'Stopped; --resume goes on' }[finish];
  const losses = [
    loss === null ? '' : `, loss ${loss.toFixed(4)}`,
    validationLoss === null ? '' : `, best validation loss ${validationLoss.toFixed(4)}`,
    validationLoss === null || baseValidationLoss === null
      ? ''
      : ` (${baseValidationLoss.toFixed(4)} before)`,
  ].join('');
  return `\n${how} after ${steps} steps and ${duration(seconds)}${losses}.\n${adapter}${last === null ? '' : ` (best)\n${last}`}\n`;
}
