import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Engine, launchChildProcess } from '../src/main/engine/index.ts';
import {
  defaultTrainingSettings,
  type StepReport,
  type TrainingJobs,
  type TrainingSettings,
} from '../src/main/training/messages.ts';
import { buildBenchModel } from '../tests/support/models.ts';
import type { TinyTensorType } from '../tests/support/tiny-tensors.ts';
import { median } from './median.ts';

/**
 * How fast a LoRA is trained and how much memory that takes, as `puna train` does it: 110 million parameters and the head, rank
 * 16 on all seven matrices, sequences of 512 tokens; beside it, where PyTorch is there, the same step in PyTorch:
 *
 *     npm run bench:training -- [--threads N] [--steps N] [--context N] [--bases F32,BF16,Q8_0,Q4_K] [--python FILE]
 */
const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '6' },
    context: { type: 'string', default: '512' },
    bases: { type: 'string', default: 'F32,BF16,Q8_0,Q4_K' },
    python: { type: 'string', default: 'python3' },
  },
});
const threads = Number(values.threads);
const steps = Number(values.steps);
/** What Puna must reach with a Q8_0 base, relative to PyTorch. */
const wanted = { float32: 2.0, bfloat16: 0.55 };

const folder = await mkdtemp(join(tmpdir(), 'puna-bench-'));
try {
  const rows: Record<string, Row> = {};
  for (const base of values.bases.split(',') as TinyTensorType[]) {
    const model = await buildBenchModel(join(folder, `${base}.gguf`), '128M', base);
    rows[`Puna, ${base}`] = await measurePuna(model, 'never');
    rows[`Puna, ${base}, recomputed`] = await measurePuna(model, 'always');
    await rm(model);
  }
  for (const type of ['float32', 'bfloat16'] as const) {
    const row = await measureTorch(type).catch((error: unknown) => {
      console.log(`PyTorch in ${type} was not measured: ${String(error).split('\n')[0]}`);
      return null;
    });
    if (row) rows[`PyTorch, ${type}`] = row;
  }
  console.log(`${threads} threads, ${values.context} tokens a step; median of ${steps - 1} steps`);
  console.table(rows);
  const best = rows['Puna, Q8_0'];
  for (const [type, least] of Object.entries(wanted)) {
    const torch = rows[`PyTorch, ${type}`];
    if (!best || !torch) continue;
    const ratio = best['tokens/s'] / torch['tokens/s'];
    console.log(`Puna with Q8_0 : PyTorch in ${type} = ${ratio.toFixed(2)} (wanted: ≥ ${least})`);
    if (ratio < least) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Row {
  'tokens/s': number;
  'peak MB': number;
  'loss 1 → 4': string;
}

async function measurePuna(model: string, recompute: TrainingSettings['recompute']): Promise<Row> {
  const context = Number(values.context);
  const data = join(folder, 'data.txt');
  // Enough for one full sequence a step.
  await writeFile(data, 'the people may find water and call it a good day '.repeat(context));
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchChildProcess });
  const reports: StepReport[] = [];
  try {
    const settings: TrainingSettings = {
      ...defaultTrainingSettings,
      ...{ steps, context, threads, recompute, learningRate: 1e-3, schedule: 'constant', warmup: 0 },
      ...{ device: 'cpu', clip: null },
    };
    const result = await engine.run(
      'train',
      { model, data: [data], out: join(folder, 'adapter.gguf'), settings, resume: false },
      { onEvent: (event) => void (event.type === 'step' && reports.push(event)) },
    );
    return row(
      reports.map(({ tokensPerSecond }) => tokensPerSecond),
      reports.map(({ loss }) => loss),
      result.peakMemoryBytes,
    );
  } finally {
    await engine.stop();
  }
}

async function measureTorch(type: keyof typeof wanted): Promise<Row> {
  const script = new URL('training-torch.py', import.meta.url).pathname;
  const words = ['--dtype', type, '--steps', `${steps}`, '--threads', `${threads}`];
  // Settings for older processors would slow it down.
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...env } = process.env;
  void [OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE];
  const { stdout } = await promisify(execFile)(values.python, [script, ...words], { env });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step?: number; loss: number; seconds: number; peakBytes?: number });
  const measured = lines.filter(({ step }) => step !== undefined);
  return row(
    measured.map(({ seconds }) => 512 / seconds),
    measured.map(({ loss }) => loss),
    lines.at(-1)?.peakBytes ?? NaN,
  );
}

/** The first step warms up. */
function row(speeds: number[], losses: number[], peak: number): Row {
  return {
    'tokens/s': Math.round(median(speeds.slice(1))),
    'peak MB': Math.round(peak / 1e6),
    'loss 1 → 4': losses
      .slice(0, 4)
      .map((loss) => loss.toFixed(2))
      .join(' '),
  };
}
