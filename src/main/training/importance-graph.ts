import { type Backend, Graph, Operations, type Tensor } from '../ggml/index.ts';
import { Tape } from './autodiff/index.ts';
import { pack } from './batches.ts';
import { type ForwardOptions, hiddenStates, type Model } from './models/index.ts';
import { attentionChunk } from './sequence-graph.ts';
import { GraphInputs } from './sequence-inputs.ts';

/** Forward alone a layer has some 60 operations, and a chunk of attention adds 15. */
const nodesPerLayer = 256;
const nodesPerChunk = 64;

/** The graph that reads one chunk of text, and tells of every matrix Σ x² of each column over the chunk's tokens. */
export class ImportanceGraph implements Disposable {
  readonly #backend: Backend;
  readonly #inputs: GraphInputs;
  readonly #g: Operations;
  readonly #graph: Graph;
  readonly #length: number;
  /** By what is squared: queries, keys and values of a layer read the same. */
  readonly #sums = new Map<Tensor, Tensor>();
  readonly #observed = new Map<string, Tensor>();

  /** `length`: tokens of a chunk. `processOutput`: also the head, where the model has one of its own. */
  constructor(
    backend: Backend,
    model: Omit<Model, 'adapters'>,
    { length, processOutput }: { length: number; processOutput: boolean },
  ) {
    this.#backend = backend;
    this.#length = length;
    this.#inputs = new GraphInputs(backend, model.decoder, length);
    const chunks = Math.ceil(length / attentionChunk) * model.decoder.layers;
    const nodes = model.decoder.layers * nodesPerLayer + chunks * nodesPerChunk + 1024;
    this.#g = new Operations(backend, { tensors: 2 * nodes, graphs: [nodes] });
    this.#graph = new Graph(this.#g, nodes);

    const tape = new Tape(this.#g, this.#graph, new Map());
    const options: ForwardOptions = { attentionChunk, checkpoint: false };
    const observe = (weight: string, x: Tensor) => this.#observed.set(weight, this.#sumOfSquares(x));
    const observing = { ...model, adapters: null, observe };
    const hidden = hiddenStates(tape, observing, this.#inputs.sequence, options);
    if (processOutput && model.weights.find('output.weight')) observe('output.weight', hidden);
    // Before the graph is measured or allocated, which would give a place to whatever has none.
    this.#inputs.allocate();
  }

  /** The names of the weights that are seen, with their columns. */
  get columns(): ReadonlyMap<string, number> {
    return new Map([...this.#observed].map(([name, sums]) => [name, sums.count]));
  }

  /** Bytes that `allocate` takes for what lies between the operations. */
  measure(): number {
    return this.#graph.measure();
  }

  /** Errors: `out-of-memory`. */
  allocate(): void {
    this.#graph.allocate();
  }

  /** Reads a chunk; gives Σ x² by the names of the weights. */
  async run(chunk: Int32Array): Promise<Map<string, Float32Array>> {
    const [sequence] = pack([{ tokens: [...chunk], learnt: [] }], this.#length);
    if (sequence) this.#inputs.write(sequence);
    await this.#backend.compute(this.#graph);
    return new Map([...this.#observed].map(([name, sums]) => [name, this.#backend.read(sums)]));
  }

  /** [columns, tokens] → [1, columns]; ggml adds up a row in 64 bits. */
  #sumOfSquares(x: Tensor): Tensor {
    const known = this.#sums.get(x);
    if (known) return known;
    const g = this.#g;
    const sums = g.output(g.sumRows(g.contiguous(g.transpose(g.square(x)))));
    // At once, so that x can be forgotten.
    this.#graph.expand(sums);
    this.#sums.set(x, sums);
    return sums;
  }

  [Symbol.dispose](): void {
    for (const each of [this.#graph, this.#g, this.#inputs]) each[Symbol.dispose]();
  }
}
