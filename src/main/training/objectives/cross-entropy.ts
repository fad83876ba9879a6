import { joined, type Rule, type Tape } from '../autodiff/index.ts';
import type { Tensor } from '../../ggml/index.ts';

/** Keeps the logarithm of a probability that F32 rounds to zero finite: such a token counts 69 nats. */
const leastProbability = 1e-30;

export interface Targets {
  /** token · vocabulary + label of each token of the chunk, as I32 and as I64 (ggml reads with the one, and writes with the other). */
  places: Tensor;
  placesToWrite: Tensor;
  /** What each token counts: [1, tokens]. */
  weights: Tensor;
}

/**
 * Σ wₜ · −log softmax(logits)ₜ[labelₜ]: logits [vocabulary, tokens] → [1]. Its gradient, (softmax − one-hot) · w, is written
 * without ever making the one-hot. A rule is made for one use.
 */
export function weightedCrossEntropy({ places, placesToWrite, weights }: Targets): Rule<[logits: Tensor]> {
  let probabilities: Tensor | null = null;
  let ofLabels: Tensor | null = null;
  return {
    forward(g, logits) {
      probabilities = g.softmax(logits);
      ofLabels = g.getRows(g.reshape(probabilities, 1, logits.count), places); // [1, tokens]
      const nats = g.log(g.clamp(ofLabels, leastProbability, 1));
      return g.scale(g.sum(g.mul(nats, weights)), -1);
    },
    backward(g, dy, _y, logits) {
      return [
        () => {
          if (!probabilities || !ofLabels) throw new Error('A rule went backward before it went forward.');
          const factors = g.mul(weights, dy);
          const flat = g.reshape(g.mul(probabilities, factors), 1, logits.count);
          const atLabels = g.mul(g.affine(ofLabels, 1, -1), factors);
          return g.reshape(g.setRows(flat, atLabels, placesToWrite), ...logits.shape);
        },
      ];
    },
  };
}

export interface HeadOptions {
  /** From hidden states [embedding, tokens] to logits [vocabulary, tokens]. */
  head: (tape: Tape, hidden: Tensor) => Tensor;
  targetsOf: (from: number, to: number) => Targets;
  /** Tokens whose logits exist at the same time. */
  chunk: number;
  /** Whether the gradient is wanted, too. */
  backward: boolean;
}

/**
 * The loss of all tokens and, at once, its gradient with respect to the hidden states [embedding, tokens]: forward and backward
 * run chunk by chunk, so that the logits of all tokens, the largest tensor of a training step, never exist together.
 */
export function chunkedCrossEntropy(
  tape: Tape,
  hidden: Tensor,
  { head, targetsOf, chunk, backward }: HeadOptions,
): { loss: Tensor; gradient: Tensor | null } {
  const { g } = tape;
  const [embedding, tokens] = hidden.shape;
  const losses: Tensor[] = [];
  const gradients: Tensor[] = [];
  for (let from = 0; from < tokens; from += chunk) {
    const to = Math.min(from + chunk, tokens);
    const inner = tape.fork();
    const part = g.view(hidden, [embedding, to - from], [0, from]);
    if (backward) inner.track(part);
    const loss = inner.apply(weightedCrossEntropy(targetsOf(from, to)), head(inner, part));
    losses.push(loss);
    tape.settle(loss);
    if (!backward) continue;
    const gradient = inner.backward(loss, g.affine(loss, 0, 1)).get(part);
    if (!gradient) throw new Error('The head gave no gradient.');
    tape.settle(gradient);
    gradients.push(gradient);
  }
  return {
    loss: losses.reduce((sum, each) => g.add(sum, each)),
    gradient: backward ? joined(g, gradients, 1) : null,
  };
}
