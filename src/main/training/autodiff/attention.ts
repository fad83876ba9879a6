import type { Operations, Tensor } from '../../ggml/index.ts';
import type { Rule } from './tape.ts';

export interface AttentionOptions {
  /** Factor of the scores, usually 1 / √head. */
  scale: number;
  /**
   * Queries that are looked at together. The scores of a chunk exist at once, and only those of keys before its end are computed:
   * with several chunks almost half of them never are.
   */
  chunk: number;
  /**
   * The scores of all chunks are kept for the way back, which takes memory for tokens² / 2 numbers of each head; otherwise they
   * are computed again, as FlashAttention does it (https://arxiv.org/abs/2205.14135).
   */
  keep: boolean;
  /** In which numbers are multiplied on the way back; sums are in F32. BF16 is for processors that multiply it faster. */
  gradientType: 'F32' | 'BF16';
  /** Has a tensor computed before everything that comes later: where scores are not kept, one chunk is done before the next. */
  settle: (tensor: Tensor) => void;
  /**
   * What is added to the scores of the queries `from` … `to` − 1 against the keys 0 … `to` − 1: [to, to − from], 0 where a
   * query sees a key and a large negative number where it does not. Keys behind the queries are never looked at.
   */
  mask: (g: Operations, from: number, to: number) => Tensor;
}

/**
 * Causal attention (https://arxiv.org/abs/1706.03762) with grouped heads (https://arxiv.org/abs/2305.13245):
 * q [head, heads, tokens], k and v [head, groups, tokens] → [head · heads, tokens]. Head h looks at group h / (heads / groups).
 * A rule is made for one use.
 */
export function attention({
  scale,
  chunk,
  keep,
  gradientType,
  settle,
  mask,
}: AttentionOptions): Rule<[q: Tensor, k: Tensor, v: Tensor]> {
  const kept: Tensor[] = [];

  /** softmax(kᵀ q · scale + mask): [to, queries, heads]. */
  function weights(g: Operations, q: Tensor, k: Tensor, { from, to }: Chunk): Tensor {
    // Copies where they can be avoided are cheap: ggml multiplies what lies in one piece many times faster.
    const queries = g.contiguous(g.view(byHead(g, q), [q.shape[0], to - from, q.shape[1]], [0, from]));
    const keys = g.view(byHead(g, k), [k.shape[0], to, k.shape[1]]);
    return g.softmax(g.mulMat(keys, queries), { mask: mask(g, from, to), scale });
  }

  /** A copy to multiply gradients with. */
  function packed(g: Operations, x: Tensor): Tensor {
    return gradientType === 'F32' ? g.contiguous(x) : g.cast(x, gradientType);
  }

  /** Σ over queries: a [n, queries, heads], b [to, queries, heads] → [n, to, heads]. */
  function sumOverQueries(g: Operations, a: Tensor, b: Tensor): Tensor {
    // On a CPU that is faster than a product of transposed copies, though not than one of BF16.
    if (gradientType === 'F32' && g.backend.device.isCpu) return g.outerProduct(a, b);
    return g.mulMat(packed(g, g.transpose(a)), packed(g, g.transpose(b)));
  }

  return {
    forward(g, q, k, v) {
      const values = g.contiguous(tokensFirst(g, v)); // [tokens, head, groups]
      const parts = chunksOf(q, chunk).map((each, index) => {
        const p = weights(g, q, k, each);
        if (keep) kept[index] = p;
        return g.mulMat(g.view(values, [each.to, v.shape[0], v.shape[1]]), p); // [head, queries, heads]
      });
      const all = joined(g, parts, 1); // [head, tokens, heads]
      return g.reshape(g.contiguous(byHead(g, all)), v.shape[0] * q.shape[1], q.shape[2]);
    },

    backward(g, dy, _y, q, k, v) {
      const [head, heads, tokens] = q.shape;
      const [width, groups] = v.shape;
      const dOut = byHead(g, g.reshape(dy, width, heads, tokens)); // [head, tokens, heads]
      const keysT = packed(g, tokensFirst(g, k)); // [tokens, head, groups]
      const values = packed(g, byHead(g, v)); // [head, tokens, groups]

      const dq: Tensor[] = [];
      let [dk, dv]: (Tensor | null)[] = [null, null];
      for (const [index, each] of chunksOf(q, chunk).entries()) {
        const { from, to } = each;
        const p = kept[index] ?? weights(g, q, k, each); // [to, queries, heads]
        const queries = g.view(byHead(g, q), [head, to - from, heads], [0, from]);
        const dPart = g.contiguous(g.view(dOut, [width, to - from, heads], [0, from]));
        const dP = g.mulMat(g.view(values, [width, to, groups]), dPart); // [to, queries, heads]
        const dS = softmaxGradient(g, dP, p, scale);
        // A chunk's keys end where its queries do.
        const addKeys = (sum: Tensor | null | undefined, x: Tensor) => {
          const grouped = sumGroups(g, x, groups);
          const part = to === tokens ? grouped : g.pad(grouped, [0, 0], [0, tokens - to]);
          return sum ? g.add(sum, part) : part;
        };
        const dqPart = g.mulMat(g.view(keysT, [to, head, groups]), dS); // [head, queries, heads]
        dq.push(dqPart);
        dk = addKeys(dk, sumOverQueries(g, queries, dS)); // [head, tokens, groups]
        dv = addKeys(dv, sumOverQueries(g, dPart, p));
        if (!keep) for (const done of [dqPart, dk, dv]) settle(done);
      }
      const byToken = (x: Tensor) => g.contiguous(byHead(g, x)); // [head, …, tokens]
      const [ofKeys, ofValues] = [dk, dv];
      if (!ofKeys || !ofValues) throw new Error('There are no tokens.');
      return [() => byToken(joined(g, dq, 1)), () => byToken(ofKeys), () => byToken(ofValues)];
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

function chunksOf({ shape: [, , tokens] }: Tensor, chunk: number): Chunk[] {
  return Array.from({ length: Math.ceil(tokens / chunk) }, (_, index) => ({
    from: index * chunk,
    to: Math.min((index + 1) * chunk, tokens),
  }));
}

/** [n, heads, tokens] ↔ [n, tokens, heads], without a copy. */
function byHead(g: Operations, x: Tensor): Tensor {
  return g.permute(x, 0, 2, 1, 3);
}

/** [n, heads, tokens] → [tokens, n, heads], without a copy. */
function tokensFirst(g: Operations, x: Tensor): Tensor {
  return g.permute(x, 1, 2, 0, 3);
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
