import type { Sequence } from './batches.ts';
import { type Backend, type Buffer, TensorContext } from '../ggml/index.ts';
import type { Decoder, SequenceInputs } from './models/index.ts';
import type { Targets } from './objectives/cross-entropy.ts';

/** The inputs of a graph that reads one sequence, and what its tokens are to become. */
export class GraphInputs implements Disposable {
  readonly sequence: SequenceInputs;
  readonly #backend: Backend;
  readonly #context: TensorContext;
  #buffer: Buffer | null = null;
  readonly #vocabulary: number;
  readonly #window: number | null;
  readonly #labels: { from: number; to: number; targets: Targets }[] = [];

  /** `furtherKeys`: see `AttentionOptions`. */
  constructor(backend: Backend, decoder: Decoder, length: number, furtherKeys = 0) {
    this.#backend = backend;
    this.#context = new TensorContext(backend, { tensors: mostInputs(length) });
    const context = this.#context;
    this.#vocabulary = decoder.vocabulary;
    this.#window = narrowestWindow(decoder);
    this.sequence = {
      tokens: context.create('I32', length),
      positions: context.create('I32', length),
      indexes: context.create('F32', length + furtherKeys),
      sampleStarts: context.create('F32', length),
      windowStarts: this.#window === null ? null : context.create('F32', length),
    };
  }

  /** What the tokens from one up to but without another are to become. */
  targets(from: number, to: number): Targets {
    const count = to - from;
    const targets = {
      places: this.#context.create('I32', count),
      placesToWrite: this.#context.create('I64', count),
      learnt: this.#context.create('F32', 1, count),
    };
    this.#labels.push({ from, to, targets });
    return targets;
  }

  /** Gives the inputs their memory, once all are known. Errors: `out-of-memory`. */
  allocate(): void {
    this.#buffer = this.#context.allocate();
  }

  write(sequence: Sequence): void {
    const { tokens, positions, indexes, sampleStarts, windowStarts } = this.sequence;
    const backend = this.#backend;
    backend.write(tokens, sequence.tokens);
    backend.write(positions, sequence.positions);
    backend.write(
      indexes,
      Float32Array.from({ length: indexes.count }, (_, index) => index),
    );
    backend.write(sampleStarts, Float32Array.from(sequence.sampleStarts));
    if (windowStarts) {
      const reach = (this.#window ?? 1) - 1;
      const starts = sequence.sampleStarts.map((start, index) => Math.max(start, index - reach));
      backend.write(windowStarts, Float32Array.from(starts));
    }
    for (const { from, to, targets } of this.#labels) {
      const labels = sequence.labels.subarray(from, to);
      const places = labels.map((label, index) => index * this.#vocabulary + label);
      backend.write(targets.places, places);
      backend.write(targets.placesToWrite, BigInt64Array.from(places, BigInt));
      backend.write(targets.learnt, Float32Array.from(sequence.learnt.subarray(from, to)));
    }
  }

  [Symbol.dispose](): void {
    this.#buffer?.[Symbol.dispose]();
    this.#context[Symbol.dispose]();
  }
}

/** Five for the sequence, and three for each chunk of targets, of which there are at most as many as tokens. */
function mostInputs(length: number): number {
  return 5 + 3 * length;
}

/** All sliding windows of a model are of one size. */
function narrowestWindow(decoder: Decoder): number | null {
  for (let layer = 0; layer < decoder.layers; layer++) {
    const { window } = decoder.attentionOf(layer);
    if (window !== null) return window;
  }
  return null;
}
