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
 * How fast a LoRA is trained and how much memory that takes, as `puna train` does it: 125 million parameters, rank 16 on all
 * seven matrices of a layer, sequences of 512 tokens. Where PyTorch is there, the same step in PyTorch: both take turns, so that
 * a busy machine slows both, and the ratio of a round is that of neighbours.
 *
 *     npm run bench:training -- [--threads N] [--steps N] [--rounds N] [--context N] [--bases F32,BF16,Q8_0,Q4_K] [--python FILE]
 */
const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
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
  const ratios = await compare(rows);
  console.log(`${threads} threads, ${values.context} tokens a step; median of ${steps - 1} steps`);
  console.table(rows);
  for (const [type, found] of Object.entries(ratios)) {
    if (found.length === 0) continue;
    const least = wanted[type as TorchType];
    const ratio = median(found);
    const all = found.map((each) => each.toFixed(2)).join(', ');
    console.log(`Puna with Q8_0 : PyTorch in ${type} = ${ratio.toFixed(2)} (${all}; wanted: ≥ ${least})`);
    if (ratio < least) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

type TorchType = keyof typeof wanted;

/** Puna with a Q8_0 base and PyTorch in turns. */
async function compare(rows: Record<string, Row>): Promise<Record<TorchType, number[]>> {
  const ratios: Record<TorchType, number[]> = { float32: [], bfloat16: [] };
  const model = await buildBenchModel(join(folder, 'compared.gguf'), '128M');
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const type of ['float32', 'bfloat16'] as const) {
      const torch = await measureTorch(type).catch((error: unknown) => {
        console.log(`PyTorch in ${type} was not measured: ${String(error).split('\n')[0]}`);
        return null;
      });
      if (!torch) return ratios;
      const puna = await measurePuna(model, 'never');
      rows[`PyTorch, ${type}`] = torch;
      ratios[type].push(puna['tokens/s'] / torch['tokens/s']);
    }
  }
  return ratios;
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

async function measureTorch(type: TorchType): Promise<Row> {
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
