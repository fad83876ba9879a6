import { joined, type Rule, type Tape } from '../autodiff/index.ts';
import type { Tensor } from '../../ggml/index.ts';

/** Keeps the logarithm of a probability that F32 rounds to zero finite: such a token counts 69 nats. */
const leastProbability = 1e-30;

export interface Targets {
  /** token · vocabulary + label of each token of the chunk, as I32 and as I64 (ggml reads with the one, and writes with the other). */
  places: Tensor;
  placesToWrite: Tensor;
  /** 1 where a token is learnt, otherwise 0: [1, tokens]. */
  learnt: Tensor;
}

/**
 * −log softmax(logits)ₜ[labelₜ], in nats: logits [vocabulary, tokens] → [1, tokens]. Its gradient, (softmax − one-hot) · dy, is
 * written without ever making the one-hot; `dyIsOne` spares the multiplication of all logits. A rule is made for one use.
 */
export function crossEntropy(
  { places, placesToWrite }: Targets,
  { dyIsOne }: { dyIsOne: boolean },
): Rule<[logits: Tensor]> {
  let probabilities: Tensor | null = null;
  let ofLabels: Tensor | null = null;
  return {
    forward(g, logits) {
      probabilities = g.softmax(logits);
      ofLabels = g.getRows(g.reshape(probabilities, 1, logits.count), places); // [1, tokens]
      return g.scale(g.log(g.clamp(ofLabels, leastProbability, 1)), -1);
    },
    backward(g, dy, _y, logits) {
      return [
        () => {
          if (!probabilities || !ofLabels) throw new Error('A rule went backward before it went forward.');
          const times = (x: Tensor) => (dyIsOne ? x : g.mul(x, dy));
          const flat = g.reshape(times(probabilities), 1, logits.count);
          const atLabels = times(g.affine(ofLabels, 1, -1));
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
  /** Whether there are parameters in it. */
  headIsTrained: boolean;
}

/**
 * The loss of all tokens that are learnt (the sum of their nats) and, at once, its gradient with respect to the hidden states
 * [embedding, tokens]: forward and backward run chunk by chunk, so that the logits of all tokens, the largest tensor of a training
 * step, never exist together.
 */
export function chunkedCrossEntropy(
  tape: Tape,
  hidden: Tensor,
  { head, targetsOf, chunk, backward, headIsTrained }: HeadOptions,
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
    const targets = targetsOf(from, to);
    const rule = crossEntropy(targets, { dyIsOne: !headIsTrained });
    const nats = inner.apply(rule, head(inner, part));
    const loss = g.sum(g.mul(nats, targets.learnt));
    losses.push(loss);
    tape.settle(loss);
    if (!backward) continue;
    const ofPart = inner.backward(nats, targets.learnt).get(part);
    if (!ofPart) throw new Error('The head gave no gradient.');
    // A head that is only passed multiplies each token for itself, so that it can be left out behind it.
    const gradient = headIsTrained ? ofPart : g.mul(ofPart, targets.learnt);
    tape.settle(gradient);
    gradients.push(gradient);
  }
  return {
    loss: losses.reduce((sum, each) => g.add(sum, each)),
    gradient: backward ? joined(g, gradients, 1) : null,
  };
}
