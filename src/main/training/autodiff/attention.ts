import type { Operations, Tensor } from '../ggml/index.ts';
import type { Rule } from './tape.ts';

export interface AttentionOptions {
  /** Factor of the scores, usually 1 / √head. */
  scale: number;
  /** Queries that are looked at together: memory grows with tokens × chunk instead of tokens². */
  chunk: number;
  /**
   * What is added to the scores of the queries `from` … `to` − 1 against the keys 0 … `to` − 1: [to, to − from], 0 where a
   * query sees a key and a large negative number where it does not. Keys behind the queries are never looked at.
   */
  mask: (g: Operations, from: number, to: number) => Tensor;
}

/**
 * Causal attention (https://arxiv.org/abs/1706.03762) with grouped heads (https://arxiv.org/abs/2305.13245):
 * q [head, heads, tokens], k and v [head, groups, tokens] → [head · heads, tokens]. Head h looks at group h / (heads / groups).
 *
 * With several chunks the scores are not kept but computed again on the way back, as FlashAttention does it
 * (https://arxiv.org/abs/2205.14135). A rule is made for one use.
 */
export function attention(options: AttentionOptions): Rule<[q: Tensor, k: Tensor, v: Tensor]> {
  const { scale, mask } = options;
  let kept: Tensor | null = null;

  /** softmax(kᵀ q · scale + mask): [keys, queries, heads]. */
  function weights(g: Operations, q: Tensor, k: Tensor, { from, to }: Chunk): Tensor {
    const queries = g.view(byHead(g, q), [q.shape[0], to - from, q.shape[1]], [0, from]);
    const keys = g.view(byHead(g, k), [k.shape[0], to, k.shape[1]]);
    return g.softmax(g.mulMat(keys, queries), { mask: mask(g, from, to), scale });
  }

  return {
    forward(g, q, k, v) {
      const chunks = chunksOf(q, options);
      const values = tokensFirst(g, v); // [tokens, head, groups]
      const parts = chunks.map((chunk) => {
        const p = weights(g, q, k, chunk); // [to, queries, heads]
        if (chunks.length === 1) kept = p;
        const seen = g.view(values, [chunk.to, v.shape[0], v.shape[1]]);
        return g.mulMat(seen, p); // [head, queries, heads]
      });
      const all = joined(g, parts, 1); // [head, tokens, heads]
      return g.reshape(g.contiguous(byHead(g, all)), v.shape[0] * q.shape[1], q.shape[2]);
    },

    backward(g, dy, _y, q, k, v) {
      const chunks = chunksOf(q, options);
      const [head, heads, tokens] = q.shape;
      const dOut = g.contiguous(byHead(g, g.reshape(dy, v.shape[0], heads, tokens))); // [head, tokens, heads]
      const [keysT, valuesH] = [tokensFirst(g, k), g.contiguous(byHead(g, v))];
      const queriesT = tokensFirst(g, q); // [tokens, head, heads]
      const dOutT = g.contiguous(g.transpose(dOut)); // [tokens, head, heads]

      const parts = chunks.map((chunk) => {
        const { from, to } = chunk;
        const p = kept ?? weights(g, q, k, chunk); // [to, queries, heads]
        const dOutPart = g.view(dOut, [v.shape[0], to - from, heads], [0, from]);
        const dP = g.mulMat(g.view(valuesH, [v.shape[0], to, v.shape[1]]), dOutPart); // [to, queries, heads]
        const dS = softmaxGradient(g, dP, p, scale);
        const ofQueries = (all: Tensor) => g.view(all, [to - from, all.shape[1], heads], [from]);
        return {
          dq: g.mulMat(g.view(keysT, [to, head, k.shape[1]]), dS), // [head, queries, heads]
          dk: g.mulMat(ofQueries(queriesT), g.contiguous(g.transpose(dS))), // [head, to, heads]
          dv: g.mulMat(ofQueries(dOutT), g.contiguous(g.transpose(p))), // [head, to, heads]
        };
      });
      // A chunk's keys end where its queries do.
      const widened = (x: Tensor) => (x.shape[1] === tokens ? x : g.pad(x, [0, 0], [0, tokens - x.shape[1]]));
      const ofKeys = (gradients: Tensor[], groups: number) =>
        g.contiguous(
          byHead(
            g,
            gradients
              .map((gradient) => widened(sumGroups(g, gradient, groups)))
              .reduce((sum, each) => g.add(sum, each)),
          ),
        );
      return [
        () =>
          g.contiguous(
            byHead(
              g,
              joined(
                g,
                parts.map(({ dq }) => dq),
                1,
              ),
            ),
          ),
        () =>
          ofKeys(
            parts.map(({ dk }) => dk),
            k.shape[1],
          ),
        () =>
          ofKeys(
            parts.map(({ dv }) => dv),
            v.shape[1],
          ),
      ];
    },
  };
}

/** Takes a score out of every softmax, and is far from overflow when several are added. */
const hidden = -1e30;

/**
 * A mask with which a query sees the keys from one of its own up to itself: block-diagonal attention for several samples in one
 * sequence, and sliding windows. `indexes`: 0, 1, 2 … in F32 [tokens]; `firstSeen`: the first key of each query, F32 [tokens].
 */
export function maskFrom(indexes: Tensor, firstSeen: Tensor): AttentionOptions['mask'] {
  return (g, from, to) => {
    const shape = [to, to - from] as const;
    const queriesOf = (x: Tensor) => g.reshape(g.view(x, [to - from], [from]), 1, to - from);
    const keys = g.repeat(g.view(indexes, [to]), g.create('F32', ...shape));
    const tooLate = g.clamp(g.sub(keys, queriesOf(indexes)), 0, 1);
    const tooEarly = g.clamp(g.sub(keys, queriesOf(firstSeen)), -1, 0);
    return g.scale(g.sub(tooLate, tooEarly), hidden);
  };
}

/** Queries from one up to but without another. */
interface Chunk {
  from: number;
  to: number;
}

function chunksOf({ shape: [, , tokens] }: Tensor, { chunk }: AttentionOptions): Chunk[] {
  return Array.from({ length: Math.ceil(tokens / chunk) }, (_, index) => ({
    from: index * chunk,
    to: Math.min((index + 1) * chunk, tokens),
  }));
}

/** [n, heads, tokens] ↔ [n, tokens, heads], without a copy. */
function byHead(g: Operations, x: Tensor): Tensor {
  return g.permute(x, 0, 2, 1, 3);
}

/** [n, heads, tokens] → [tokens, n, heads]. */
function tokensFirst(g: Operations, x: Tensor): Tensor {
  return g.contiguous(g.permute(x, 1, 2, 0, 3));
}

/** Parts side by side along a dimension, two and two, so that nothing is copied more often than it must be. */
export function joined(g: Operations, parts: readonly Tensor[], dimension: number): Tensor {
  const [first, ...others] = parts;
  if (!first) throw new Error('There is nothing to join.');
  if (others.length === 0) return first;
  const middle = Math.ceil(parts.length / 2);
  return g.concat(
    joined(g, parts.slice(0, middle), dimension),
    joined(g, parts.slice(middle), dimension),
    dimension,
  );
}

function softmaxGradient(g: Operations, dP: Tensor, p: Tensor, scale: number): Tensor {
  return g.either(
    () => g.softmaxBack(dP, p, scale),
    () => {
      const product = g.mul(p, dP);
      return g.scale(g.sub(product, g.mul(p, g.sumRows(product))), scale);
    },
  );
}

/** [n, tokens, heads] → [n, tokens, groups]: neighbouring heads share a group. */
function sumGroups(g: Operations, x: Tensor, groups: number): Tensor {
  const [n, tokens, heads] = x.shape;
  const share = heads / groups;
  if (share === 1) return x;
  const grouped = g.reshape(x, n * tokens, share, groups);
  const members = Array.from({ length: share }, (_, index) =>
    g.view(grouped, [n * tokens, 1, groups], [0, index]),
  );
  const [first, ...others] = members as [Tensor, ...Tensor[]];
  return g.reshape(
    others.reduce((sum, member) => g.add(sum, member), g.contiguous(first)),
    ...[n, tokens, groups],
  );
}
