import { Tape } from './autodiff/index.ts';
import type { Sequence } from './batches.ts';
import { type Backend, Graph, Operations, type Tensor } from '../ggml/index.ts';
import { type ForwardOptions, hiddenStates, isHeadTrained, logitsOf, type Model } from './models/index.ts';
import { chunkedCrossEntropy } from './objectives/cross-entropy.ts';
import type { ParameterSet } from './parameters.ts';
import { GraphInputs } from './sequence-inputs.ts';

/** Tokens whose logits exist at once: with a vocabulary of 128,000 that is 130 MB for logits and as much for their gradient. */
const logitsChunk = 256;
/** Queries whose scores of attention exist at once: measured in docs/training.md. */
export const attentionChunk = 64;
/** A cache line of scores, with which a chunk's rows are an odd number of lines long. */
const furtherKeys = 16;
/** Operations of one layer forward and backward are some 200, and a chunk of attention adds 40. */
const nodesPerLayer = 512;
const nodesPerChunk = 128;

export interface SequenceGraphOptions {
  /** Tokens of a sequence. */
  length: number;
  /** Also computes gradients, into the parameters' own place. */
  backward: boolean;
  /** Layers are computed once more on the way back instead of being kept. */
  checkpoint: boolean;
}

/** The graph that reads one sequence: its loss and, if wanted, the gradients of all parameters. */
export class SequenceGraph implements Disposable {
  readonly #backend: Backend;
  readonly #inputs: GraphInputs;
  readonly #g: Operations;
  readonly #graph: Graph;
  readonly #loss: Tensor;

  constructor(backend: Backend, model: Model, parameters: ParameterSet, options: SequenceGraphOptions) {
    const { length, backward, checkpoint } = options;
    this.#backend = backend;
    // Only for BF16 are scores transposed.
    const isTransposed = backward && model.weights.attentionGradientTypes.others === 'BF16';
    this.#inputs = new GraphInputs(backend, model.decoder, length, isTransposed ? furtherKeys : 0);
    const chunks =
      Math.ceil(length / attentionChunk) * model.decoder.layers + Math.ceil(length / logitsChunk);
    const nodes = model.decoder.layers * nodesPerLayer + chunks * nodesPerChunk + 1024;
    this.#g = new Operations(backend, { tensors: 2 * nodes, graphs: [nodes] });
    this.#graph = new Graph(this.#g, nodes);

    const tape = new Tape(this.#g, this.#graph, parameters.byValue);
    const forward: ForwardOptions = { attentionChunk, checkpoint: checkpoint && backward };
    const hidden = hiddenStates(tape, model, this.#inputs.sequence, forward);
    const { loss, gradient } = chunkedCrossEntropy(tape, hidden, {
      head: (inner, part) => logitsOf(inner, model, part),
      targetsOf: (from, to) => this.#inputs.targets(from, to),
      chunk: logitsChunk,
      backward,
      headIsTrained: isHeadTrained(tape, model),
    });
    this.#loss = this.#g.output(loss);
    this.#graph.expand(this.#loss);
    if (gradient) tape.backward(hidden, gradient);
    // Before the graph is measured or allocated, which would give a place to whatever has none.
    this.#inputs.allocate();
  }

  /** Bytes that `allocate` takes for what lies between the operations. */
  measure(): number {
    return this.#graph.measure();
  }

  /** Errors: `out-of-memory`. */
  allocate(): void {
    this.#graph.allocate();
  }

  /**
   * Σ of nats over the tokens that are learnt. What is gathered is the gradient of the sum, too: that of a mean over many tokens
   * would be lost in Q8_0, whose blocks have a factor of 16 bits.
   */
  async run(sequence: Sequence): Promise<number> {
    this.#inputs.write(sequence);
    await this.#backend.compute(this.#graph);
    return this.#backend.read(this.#loss)[0] ?? NaN;
  }

  [Symbol.dispose](): void {
    for (const each of [this.#graph, this.#g, this.#inputs]) each[Symbol.dispose]();
  }
}
