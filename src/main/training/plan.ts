import { pack, type Sample, type Sequence, shuffled } from './batches.ts';
import type { TrainingSettings } from './messages.ts';
import { seededRandom } from './random.ts';

/** Sequences are as long as the context, or shorter where all data is; in steps that suit the kernels. */
const lengthStep = 32;

/** What is read in which order: everything is drawn from the seed, so that any step can be reached again. */
export class Plan {
  readonly settings: TrainingSettings;
  readonly sequences: readonly Sequence[];
  readonly validation: readonly Sequence[];
  readonly length: number;
  readonly steps: number;
  readonly stepsPerEpoch: number;

  constructor(samples: readonly Sample[], validation: readonly Sample[], settings: TrainingSettings) {
    this.settings = settings;
    this.length = sequenceLength([...samples, ...validation], settings.context);
    this.sequences = pack(samples, this.length);
    this.validation = pack(validation, this.length);
    this.stepsPerEpoch = Math.ceil(this.sequences.length / settings.batch);
    this.steps = settings.steps ?? Math.ceil(settings.epochs * this.stepsPerEpoch);
  }

  /** The sequences of a step, which count from 1. */
  batch(step: number): Sequence[] {
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch);
    const begin = ((step - 1) % this.stepsPerEpoch) * this.settings.batch;
    return this.#order(epoch).slice(begin, begin + this.settings.batch);
  }

  #ordered: { epoch: number; sequences: Sequence[] } | null = null;
  #order(epoch: number): Sequence[] {
    if (this.#ordered?.epoch !== epoch) {
      const sequences = shuffled(this.sequences, seededRandom(this.settings.seed, epoch));
      this.#ordered = { epoch, sequences };
    }
    return this.#ordered.sequences;
  }
}

function sequenceLength(samples: readonly Sample[], context: number): number {
  const total = samples.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return Math.min(Math.ceil(Math.min(total, context) / lengthStep) * lengthStep, context);
}

/** Puts a share of the samples aside, drawn from the seed; never all of them. */
export function splitValidation(
  samples: readonly Sample[],
  { validation, seed }: TrainingSettings,
): { learnt: Sample[]; measured: Sample[] } {
  const count = Math.min(Math.round(samples.length * validation), samples.length - 1);
  const order = shuffled(samples, seededRandom(seed, samples.length));
  return { learnt: order.slice(count), measured: order.slice(0, count) };
}
