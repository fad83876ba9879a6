import type { Command } from 'commander';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { automaticLoadSettings, type Fit, type MachineFacts } from '../../shared/contract/index.ts';
import { launchChildProcess } from '../engine/index.ts';
import { Machine } from '../machine/index.ts';
import { dataFolder } from '../storage/index.ts';
import { size } from '../weights/figures.ts';
import { table } from '../weights/inspect.ts';
import { integer } from './arguments.ts';
import { Output, runCommand } from './output.ts';

interface FitOptions {
  context?: number;
  measure?: boolean;
  data?: string;
  json?: boolean;
}

export function addModelsFit(models: Command): void {
  models
    .command('fit')
    .description(
      'whether a model fits this machine, how fast it will be, and with how long texts it can be taught',
    )
    .argument('<file>', 'GGUF model')
    .option('--context <tokens>', 'of one conversation', integer({ min: 64, max: 10_000_000 }))
    .option('--measure', 'measure anew how fast this machine is')
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((file: string, options: FitOptions) =>
      runCommand(async (signal) => {
        const output = new Output(options.json ?? false);
        const folder = dataFolder(options.data);
        await mkdir(folder, { recursive: true });
        const machine = new Machine({ dataFolder: folder, launchEngine: launchChildProcess });
        signal.addEventListener('abort', () => void machine.close());
        try {
          const facts = await machine.facts({ measure: options.measure ?? false });
          const model = { path: resolve(file), loadSettings: automaticLoadSettings };
          const fit = await machine.fit(model, { contextSize: options.context, training: true });
          output.text(`${table([...machineLines(facts), ...fitLines(fit)])}\n`);
          output.event({ type: 'machine', ...facts });
          output.event({ type: 'result', path: model.path, ...fit });
        } finally {
          await machine.close();
        }
      }),
    );
}

function machineLines({ processor, cores, memory, gpu, bandwidth, disk }: MachineFacts): string[][] {
  const limit = memory.limited ? ' (a limit of the system)' : '';
  return [
    ['Processor', `${processor}, ${cores} cores`],
    ['Memory', `${size(memory.total)}${limit}, ${size(memory.free)} free`],
    ...(gpu ? [['GPU', `${gpu.names.join(', ')}, ${size(gpu.memory.total)}`]] : []),
    ...(bandwidth ? [['Bandwidth', `${size(bandwidth.gpu ?? bandwidth.cpu)}/s`]] : []),
    ...(disk.readBytesPerSecond === null ? [] : [['Disk', `${size(disk.readBytesPerSecond)}/s`]]),
  ];
}

const verdicts = { well: 'yes', slowly: 'yes, but it will be slow', not: 'no, there is too little memory' };

function fitLines(fit: Fit): string[][] {
  const { parts, contextSize, tokensPerSecond, readingPerSecond, trainingContext } = fit;
  const speed = (tokens: number | null) => (tokens === null ? '?' : String(Number(tokens.toPrecision(2))));
  return [
    ['Fits', `${verdicts[fit.verdict]}${fit.crowded ? ' (not beside what is in memory now)' : ''}`],
    ['Needs', `${size(fit.bytes)} with a context of ${contextSize} tokens`],
    ...(fit.videoBytes > 0
      ? [['On the GPU', `${size(fit.videoBytes)}, ${fit.gpuLayers} of ${fit.layers} layers`]]
      : []),
    ['', `weights ${size(parts.weights)}, context ${size(parts.context)}, program ${size(parts.program)}`],
    ['Tokens/s', `about ${speed(tokensPerSecond)} when it writes, ${speed(readingPerSecond)} when it reads`],
    ['Teaching', trainingText(trainingContext)],
  ];
}

function trainingText(context: number | null): string {
  if (context === null) return 'models of this kind cannot be taught';
  return context === 0 ? 'too little memory' : `up to a context of ${context} tokens`;
}
