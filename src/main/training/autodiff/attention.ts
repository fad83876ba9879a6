import type { Operations, Tensor } from '../../ggml/index.ts';
import type { Rule } from './tape.ts';

/** In which numbers the gradients of attention are multiplied; sums are in F32. */
export interface GradientTypes {
  /**
   * The values, where a head can be cut into blocks of this type: a sum over the few numbers of a head takes ggml longer to add up
   * at its end than to multiply, and the least with 8 bits.
   */
  values: 'F32' | 'Q8_0';
  /** Everything else. BF16 is for processors that multiply it faster. */
  others: 'F32' | 'BF16';
}

/** As many chunks are one where scores never exist at once: with fewer operations, but more keys that are looked at for nothing. */
const fusedChunks = 4;

/** Numbers of a block of Q8_0. */
const blockLength = 32;

export interface AttentionOptions {
  /** Factor of the scores, usually 1 / √head. */
  scale: number;
  /**
   * Queries whose scores exist at once. Only those of keys before a chunk's end are computed: with several chunks almost half of
   * them never are. None is kept for the way back, where they are computed again.
   */
  chunk: number;
  gradientTypes: GradientTypes;
  /**
   * By so many keys and values are lengthened on the way back, which no query may see. Rows of scores whose length is a multiple
   * of 1 KiB share a few sets of a processor's cache, and take several times as long to be transposed.
   */
  furtherKeys: number;
  /** Has a tensor computed before everything that comes later: on the way back one chunk is done before the next. */
  settle: (tensor: Tensor) => void;
  /**
   * What is added to the scores of the queries `from` … `to` − 1 against the first keys: [keys, to − from], 0 where a query sees
   * a key and a large negative number, or −∞, where it does not. Keys behind the queries are never looked at.
   */
  mask: (g: Operations, chunk: Chunk, type: 'F32' | 'F16') => Tensor;
}

/**
 * Causal attention (https://arxiv.org/abs/1706.03762) with grouped heads (https://arxiv.org/abs/2305.13245):
 * q [head, heads, tokens], k and v [head, groups, tokens] → [head · heads, tokens]. Head h looks at group h / (heads / groups).
 */
export function attention({
  scale,
  chunk,
  gradientTypes,
  furtherKeys,
  settle,
  mask,
}: AttentionOptions): Rule<[q: Tensor, k: Tensor, v: Tensor]> {
  /** k or v [n, groups, tokens] with the further ones, which repeat the last. */
  function lengthened(g: Operations, x: Tensor): Tensor {
    if (furtherKeys === 0) return x;
    const [n, groups, tokens] = x.shape;
    const length = tokens + furtherKeys;
    const indexes = g.constant(`${tokens} keys and ${furtherKeys}`, () =>
      Int32Array.from({ length }, (_, index) => Math.min(index, tokens - 1)),
    );
    return g.reshape(g.getRows(g.reshape(x, n * groups, tokens), indexes), n, groups, length);
  }

  /** softmax(kᵀ q · scale + mask) of k [head, tokens, groups], queries [head, queries, groups] → [keys, queries, groups]. */
  function weights(g: Operations, queries: Tensor, k: Tensor, chunk: Chunk): Tensor {
    const { from, to, keys } = chunk;
    const [head, rows, groups] = queries.shape;
    const heads = (rows * groups) / (to - from);
    const scores = g.mulMat(g.view(k, [head, keys, groups]), queries);
    const p = g.softmax(g.reshape(scores, keys, to - from, heads), { mask: mask(g, chunk, 'F32'), scale });
    return byGroup(g, p, groups);
  }

  /** What a chunk of queries finds, its scores never existing at once: k and v [head, tokens, groups] → [head, heads, queries]. */
  function fused(g: Operations, q: Tensor, k: Tensor, v: Tensor, chunk: Chunk): Tensor {
    const { from, to, keys } = chunk;
    const [head, heads] = q.shape;
    const seen = (x: Tensor) => g.view(x, [head, keys, x.shape[2]]);
    const queries = g.view(byHead(g, q), [head, to - from, heads], [0, from]);
    return g.flashAttention(queries, seen(k), seen(v), { mask: mask(g, chunk, 'F16'), scale });
  }

  /** The same by its scores: k [head, tokens, groups], v [tokens, head, groups] → [head, heads, queries]. */
  function composed(g: Operations, q: Tensor, k: Tensor, v: Tensor, chunk: Chunk): Tensor {
    const { from, to, keys } = chunk;
    const [, head, groups] = v.shape;
    const p = weights(g, ofChunk(g, byHead(g, q), chunk, groups), k, chunk);
    const part = g.mulMat(g.view(v, [keys, head, groups]), p);
    return byHead(g, g.reshape(part, head, to - from, q.shape[1]));
  }

  /** A copy to multiply gradients with. */
  function packed(
    g: Operations,
    x: Tensor,
    type: GradientTypes[keyof GradientTypes] = gradientTypes.others,
  ): Tensor {
    return type === 'F32' ? g.contiguous(x) : g.cast(x, type);
  }

  /** Σ over the queries of a group: a [n, queries, groups], b [to, queries, groups] → [n, to, groups]. */
  function sumOverQueries(g: Operations, a: Tensor, b: Tensor): Tensor {
    // On a CPU that is faster than a product of transposed copies, though not than one of BF16.
    if (gradientTypes.others === 'F32' && g.backend.device.isCpu) return g.outerProduct(a, b);
    return g.mulMat(packed(g, g.transpose(a)), packed(g, g.transpose(b)));
  }

  return {
    forward(g, q, k, v) {
      const [head, heads, tokens] = q.shape;
      const keys = g.contiguous(byHead(g, k)); // [head, tokens, groups]
      const values = g.contiguous(byHead(g, v)); // [head, tokens, groups]
      const valuesT = g.contiguous(tokensFirst(g, v)); // [tokens, head, groups]
      // On a GPU the fused operation rounds keys and values to 16 bits.
      const { isCpu } = g.backend.device;
      const parts = chunksOf(tokens, isCpu ? fusedChunks * chunk : chunk).map((each) => {
        const byScores = () => composed(g, q, keys, valuesT, each);
        const found = isCpu ? g.either(() => fused(g, q, keys, values, each), byScores) : byScores();
        return { ...each, part: byHead(g, found) };
      });
      return g.reshape(byToken(g, parts, q), head * heads, tokens);
    },

    backward(g, dy, _y, q, k, v) {
      const [head, heads, tokens] = q.shape;
      const [, groups] = v.shape;
      const dOut = byHead(g, g.reshape(dy, head, heads, tokens)); // [head, tokens, heads]
      const keysT = packed(g, tokensFirst(g, k)); // [tokens, head, groups]
      const isInBlocks = gradientTypes.values === 'Q8_0' && head % blockLength === 0;
      const values = packed(g, byHead(g, lengthened(g, v)), isInBlocks ? 'Q8_0' : gradientTypes.others); // [head, keys, groups]
      const longKeys = packed(g, byHead(g, lengthened(g, k))); // [head, keys, groups]

      const dq: (Chunk & { part: Tensor })[] = [];
      let dk: Tensor | null = null;
      let dv: Tensor | null = null;
      // From the last one on, which looks at all keys: what the others find is added to a part of its.
      for (const each of chunksOf(tokens, chunk, furtherKeys).toReversed()) {
        const { from, to, keys } = each;
        const queries = ofChunk(g, byHead(g, q), each, groups); // [head, queries, groups]
        const p = weights(g, queries, longKeys, each); // [keys, queries, groups]
        const dPart = ofChunk(g, dOut, each, groups);
        const dP = g.mulMat(g.view(values, [head, keys, groups]), dPart);
        const dS = softmaxGradient(g, dP, p, scale);
        const seen = (x: Tensor) => (keys === to ? x : g.view(x, [to, x.shape[1], groups]));
        const part = g.reshape(
          g.mulMat(g.view(keysT, [to, head, groups]), seen(dS)),
          ...[head, to - from, heads],
        );
        dq.push({ ...each, part });
        const add = (sum: Tensor | null, x: Tensor) => (sum ? addRows(g, sum, x) : x);
        dk = add(dk, sumOverQueries(g, queries, seen(dS))); // [head, tokens, groups]
        dv = add(dv, sumOverQueries(g, dPart, seen(p)));
        for (const done of [part, dk, dv]) settle(done);
      }
      const [ofKeys, ofValues] = [dk, dv];
      if (!ofKeys || !ofValues) throw new Error('There are no tokens.');
      return [
        () => byToken(g, dq, q),
        () => g.contiguous(byHead(g, ofKeys)),
        () => g.contiguous(byHead(g, ofValues)),
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
  return (g, { from, to, keys: count }, type) => {
    const shape = [count, to - from] as const;
    const queriesOf = (x: Tensor) => g.reshape(g.view(x, [to - from], [from]), 1, to - from);
    const keys = g.repeat(g.view(indexes, [count]), g.create('F32', ...shape));
    const tooLate = g.clamp(g.sub(keys, queriesOf(indexes)), 0, 1);
    const tooEarly = g.clamp(g.sub(keys, queriesOf(firstSeen)), -1, 0);
    const mask = g.scale(g.sub(tooLate, tooEarly), hidden);
    return type === 'F32' ? mask : g.cast(mask, type);
  };
}

/** Queries from one up to but without another, and how many keys they are held against. */
export interface Chunk {
  from: number;
  to: number;
  keys: number;
}

/** Chunks of so many queries, whose keys end with them but for further ones. */
function chunksOf(tokens: number, length: number, furtherKeys = 0): Chunk[] {
  return Array.from({ length: Math.ceil(tokens / length) }, (_, index) => {
    const to = Math.min((index + 1) * length, tokens);
    return { from: index * length, to, keys: to + furtherKeys };
  });
}

/** [n, heads, tokens] ↔ [n, tokens, heads], without a copy. */
function byHead(g: Operations, x: Tensor): Tensor {
  return g.permute(x, 0, 2, 1, 3);
}

/** [n, heads, tokens] → [tokens, n, heads], without a copy. */
function tokensFirst(g: Operations, x: Tensor): Tensor {
  return g.permute(x, 1, 2, 0, 3);
}

/**
 * [n, queries, heads] → [n, queries · heads / groups, groups], without a copy: neighbouring heads look at the same keys and values,
 * and their queries are multiplied with them, and summed up over them, as if they were one head's.
 */
function byGroup(g: Operations, x: Tensor, groups: number): Tensor {
  const [n, queries, heads] = x.shape;
  return g.reshape(x, n, (queries * heads) / groups, groups);
}

/**
 * A chunk of [n, tokens, heads], by group. Copies where they can be avoided are cheap: ggml multiplies what lies in one piece many
 * times faster.
 */
function ofChunk(g: Operations, x: Tensor, { from, to }: Chunk, groups: number): Tensor {
  const [n, , heads] = x.shape;
  return byGroup(g, g.contiguous(g.view(x, [n, to - from, heads], [0, from])), groups);
}

/** Parts of [head, queries, heads] → [head, heads, tokens], which is q's shape. */
function byToken(g: Operations, parts: readonly (Chunk & { part: Tensor })[], q: Tensor): Tensor {
  return g.either(
    // On a CPU joining takes several times as long as writing each part to its place.
    () =>
      parts.reduce(
        (whole, { part, from }) => g.setInPlace(whole, byHead(g, part), [0, 0, from]),
        g.either(
          () => g.zerosLike(q),
          () => g.scale(q, 0),
        ),
      ),
    () => {
      const inOrder = parts.toSorted((one, other) => one.from - other.from).map(({ part }) => part);
      return g.contiguous(byHead(g, joined(g, inOrder, 1)));
    },
  );
}

/** sum [n, tokens, …] with x [n, fewer tokens, …] added to its first rows; sum's memory is changed. */
function addRows(g: Operations, sum: Tensor, x: Tensor): Tensor {
  return g.either(
    () => g.accumulateInPlace(sum, x),
    () => g.add(sum, g.pad(x, [0, 0], [0, sum.shape[1] - x.shape[1]])),
  );
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
