import { pack, type Sequence } from '../../src/main/training/batches.ts';
import type { ModelFile } from '../../src/main/weights/model-file.ts';
import type { TinyVariant } from './tiny-architectures.ts';
import { seededRandom } from './tiny-random.ts';

/** What PyTorch trains in tests/fixtures/training, and Puna in the tests that compare: the same initial values and data. */
export const referenceVariants = [
  'llama',
  'qwen2',
  'qwen3',
  'gemma3',
  'phi3',
] as const satisfies TinyVariant[];
export type ReferenceVariant = (typeof referenceVariants)[number];

export const referenceLora = { rank: 4, alpha: 8 } as const;

/** What tests/fixtures/training/VARIANT.json holds. */
export interface ReferenceResult {
  /** Of each step, before it: mean nats of the learnt tokens. */
  losses: number[];
  /** Of each step, before clipping. */
  gradientNorms: number[];
  /** Of the first step, before clipping, by the adapter's tensors. */
  firstGradients: Record<string, GradientSummary>;
}

export interface GradientSummary {
  norm: number;
  sum: number;
  /** The first numbers, in ggml's order. */
  first: number[];
}

export interface AdapterTensor {
  name: string;
  /** Fastest dimension first. */
  shape: readonly [number, number];
  values: Float32Array<ArrayBuffer>;
}

/** Standard deviation of B. Were it 0, as at a usual start, then A would have no gradient. */
const deviationOfB = 0.05;

/** Initial values for every matrix of the layers: `<weight>.lora_a` [in, rank] and `<weight>.lora_b` [rank, out]. */
export function referenceAdapter(
  file: ModelFile,
  { rank }: { rank: number; alpha: number } = referenceLora,
): AdapterTensor[] {
  const tensor = (name: string, shape: readonly [number, number], deviation: number) => {
    const random = seededRandom(
      [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 7),
    );
    const values = Float32Array.from({ length: shape[0] * shape[1] }, () => random.spread(deviation));
    return { name, shape, values };
  };
  return file.tensors.flatMap(({ name, shape: [width, height] }) => {
    if (!name.startsWith('blk.') || width === undefined || height === undefined) return [];
    return [
      tensor(`${name}.lora_a`, [width, rank], 1 / Math.sqrt(width)),
      tensor(`${name}.lora_b`, [rank, height], deviationOfB),
    ];
  });
}

export interface ReferencePlan {
  steps: { sequences: Sequence[]; learningRate: number }[];
  weightDecay: number;
  /** Largest global norm of the gradients; null: they are not clipped. */
  clip: number | null;
}

const sequenceLength = 32;
/** Lengths of the samples in a sequence; some leave room for padding. */
const layouts = [
  [13, 11, 8],
  [17, 15],
  [20, 9],
  [12, 10, 7],
] as const;
/** Samples of the same length that differ: few, so that something is learnt in few steps. */
const samplesOfLength = 2;

/** Two sequences a step. The llama run is long, warms up, cools down and is clipped; the others are short and plain. */
export function referencePlan(variant: ReferenceVariant): ReferencePlan {
  const isLong = variant === 'llama';
  const random = seededRandom(11);
  const steps = Array.from({ length: isLong ? 50 : 8 }, (_, step) => ({
    sequences: [0, 1].map((index) => {
      const lengths = layouts[(2 * step + index) % layouts.length] ?? layouts[0];
      return sequenceOf(lengths.map((length) => sampleOf(length, random.below(samplesOfLength))));
    }),
    learningRate: isLong ? warmUpAndCosine(step, { rate: 5e-3, warmUp: 5, steps: 50 }) : 1e-3,
  }));
  return { steps, weightDecay: 0.01, clip: isLong ? 1 : null };
}

function sequenceOf(samples: ReturnType<typeof sampleOf>[]): Sequence {
  const [sequence, ...more] = pack(samples, sequenceLength);
  if (!sequence || more.length > 0) throw new Error('The samples do not fit into one sequence.');
  return sequence;
}

/** Random tokens, of which the last two thirds are learnt. */
function sampleOf(length: number, seed: number) {
  const random = seededRandom(length * samplesOfLength + seed);
  const [firstToken, tokens] = [300, 600];
  return {
    tokens: Array.from({ length }, () => firstToken + random.below(tokens)),
    learnt: Array.from({ length }, (_, index) => index >= length / 3),
  };
}

/** Up to the whole rate in the last step of the warm-up, then down along half a cosine, at whose end the run stops. */
function warmUpAndCosine(
  step: number,
  { rate, warmUp, steps }: { rate: number; warmUp: number; steps: number },
): number {
  if (step < warmUp) return (rate * (step + 1)) / warmUp;
  return (rate * (1 + Math.cos((Math.PI * (step - warmUp)) / (steps - warmUp)))) / 2;
}
