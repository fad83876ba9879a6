import type { Graph, Operations, Tensor } from '../../ggml/index.ts';

/**
 * How one operation is computed and differentiated. Backward gives, for each input, how its gradient is made from that of the
 * result; null where there is none. Only those that are needed are asked for.
 */
export interface Rule<Inputs extends readonly Tensor[]> {
  forward(g: Operations, ...inputs: Inputs): Tensor;
  backward(
    g: Operations,
    dy: Tensor,
    y: Tensor,
    ...inputs: Inputs
  ): { readonly [Index in keyof Inputs]: (() => Tensor) | null };
}

/** What is learnt: numbers, and the place where their gradient is gathered, of the same shape. */
export interface Parameter {
  value: Tensor;
  gradient: Tensor;
}

interface Entry {
  y: Tensor;
  inputs: readonly Tensor[];
  gradients(dy: Tensor): readonly ((() => Tensor) | null)[];
}

/**
 * Reverse-mode differentiation (https://en.wikipedia.org/wiki/Automatic_differentiation): writes down what is computed from
 * tracked tensors, and then walks back over it. Both directions are only described here; the graph computes them.
 *
 * A parameter's gradient is added to `parameter.gradient` at the very moment at which a rule gives it. So it needs no memory
 * of its own, several uses and several graphs add up, and nothing is stepped before its last use.
 */
export class Tape {
  readonly g: Operations;
  readonly #graph: Graph;
  readonly #parameters: ReadonlyMap<Tensor, Parameter>;
  readonly #tracked = new Set<Tensor>();
  #entries: Entry[] = [];

  constructor(g: Operations, graph: Graph, parameters: ReadonlyMap<Tensor, Parameter>) {
    this.g = g;
    this.#graph = graph;
    this.#parameters = parameters;
  }

  /** Computes with a rule, and remembers it where a gradient has to pass. */
  apply<const Inputs extends readonly Tensor[]>(rule: Rule<Inputs>, ...inputs: Inputs): Tensor {
    const y = rule.forward(this.g, ...inputs);
    this.#remember({ y, inputs, gradients: (dy) => rule.backward(this.g, dy, y, ...inputs) });
    return y;
  }

  /**
   * Computes a segment without keeping what lies inside it: on the way back it is computed once more from its input. Costs a
   * second forward pass, and frees the memory of everything in between (https://arxiv.org/abs/1604.06174).
   */
  checkpoint(segment: (tape: Tape, x: Tensor) => Tensor, x: Tensor): Tensor {
    const y = segment(this.fork(), x);
    const gradients = (dy: Tensor) => {
      const again = this.fork();
      if (this.#needsGradient(x)) again.track(x);
      const dx = again.backward(segment(again, x), dy).get(x);
      return [dx ? () => dx : null];
    };
    // Also where x is a constant: parameters may be used inside.
    this.#tracked.add(y);
    this.#entries.push({ y, inputs: [x], gradients });
    return y;
  }

  /** Follows gradients to this tensor, as if it were a parameter. */
  track(tensor: Tensor): void {
    this.#tracked.add(tensor);
  }

  /** Computes a tensor before everything that comes later, so that what only it needs can be forgotten. */
  settle(tensor: Tensor): void {
    this.#graph.expand(tensor);
  }

  /** A tape of its own over the same graph and parameters. */
  fork(): Tape {
    return new Tape(this.g, this.#graph, this.#parameters);
  }

  isParameter(tensor: Tensor): boolean {
    return this.#parameters.has(tensor);
  }

  /** Walks back from y, whose gradient is dy. Gives the gradients of tracked tensors; parameters' are added to their place. */
  backward(y: Tensor, dy: Tensor): ReadonlyMap<Tensor, Tensor> {
    const gradients = new Map([[y, dy]]);
    for (const entry of this.#entries.reverse()) {
      const gradient = gradients.get(entry.y);
      if (!gradient) continue;
      const makers = entry.gradients(gradient);
      entry.inputs.forEach((input, index) => {
        const make = makers[index];
        if (make && this.#needsGradient(input)) this.#gather(gradients, input, make());
      });
    }
    this.#entries = [];
    return gradients;
  }

  #gather(gradients: Map<Tensor, Tensor>, input: Tensor, gradient: Tensor): void {
    const parameter = this.#parameters.get(input);
    if (parameter) return this.#graph.expand(this.g.addInPlace(parameter.gradient, gradient));
    const earlier = gradients.get(input);
    gradients.set(input, earlier ? this.g.add(earlier, gradient) : gradient);
  }

  #remember(entry: Entry): void {
    if (!entry.inputs.some((input) => this.#needsGradient(input))) return;
    this.#tracked.add(entry.y);
    this.#entries.push(entry);
  }

  #needsGradient(tensor: Tensor): boolean {
    return this.#tracked.has(tensor) || this.isParameter(tensor);
  }
}
