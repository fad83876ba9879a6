import type { Operations, RopeOptions, Tensor } from '../../ggml/index.ts';
import type { Rule } from './tape.ts';

/** a + b; b is repeated to the shape of a. */
export const add: Rule<[a: Tensor, b: Tensor]> = {
  forward: (g, a, b) => g.add(a, b),
  backward: (g, dy, _y, _a, b) => [() => dy, () => sumTo(g, dy, b)],
};

/** a ∘ b; b is repeated to the shape of a. */
export const mul: Rule<[a: Tensor, b: Tensor]> = {
  forward: (g, a, b) => g.mul(a, b),
  backward: (g, dy, _y, a, b) => [() => g.mul(dy, b), () => sumTo(g, g.mul(dy, a), b)],
};

export const scale = (factor: number): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.scale(x, factor),
  backward: (g, dy) => [() => g.scale(dy, factor)],
});

export const tanh: Rule<[x: Tensor]> = {
  forward: (g, x) => g.tanh(x),
  // 1 − tanh²
  backward: (g, dy, y) => [() => g.sub(dy, g.mul(dy, g.square(y)))],
};

/** Each row by its root mean square: x / √(mean(x²) + ε). */
export const rmsNorm = (epsilon: number): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.rmsNorm(x, epsilon),
  backward: (g, dy, y, x) => [
    () =>
      g.either(
        () => g.rmsNormBack(dy, x, epsilon),
        // With y = x / r: dx = (dy − y · mean(dy ∘ y)) / r.
        () => {
          const mean = (rows: Tensor) => g.scale(g.sumRows(rows), 1 / x.shape[0]);
          const root = g.squareRoot(g.affine(mean(g.square(x)), 1, epsilon));
          return g.div(g.sub(dy, g.mul(y, mean(g.mul(dy, y)))), root);
        },
      ),
  ],
});

/** The gate of a feed-forward network: silu(gate) ∘ up. */
export const swiglu: Rule<[gate: Tensor, up: Tensor]> = {
  forward: (g, gate, up) => g.swiglu(gate, up),
  backward: (g, dy, y, gate, up) => [
    () => (g.backend.device.isCpu ? gateGradient(g, dy, y, gate, up) : g.siluBack(g.mul(dy, up), gate)),
    () => g.swiglu(gate, dy),
  ],
};

/**
 * What `siluBack(dy ∘ up, gate)` gives, at twice the speed: ggml has an exponential for many numbers at once in its gate only.
 * With σ the logistic function, silu(x) = x σ(x) and silu′ = σ + silu · (1 − σ), it is σ ∘ (dy ∘ up − y ∘ dy) + y ∘ dy, and
 * σ(x) ∘ z = swiglu(x, z / x).
 */
function gateGradient(g: Operations, dy: Tensor, y: Tensor, gate: Tensor, up: Tensor): Tensor {
  const x = g.affine(gate, 1, nearZero);
  const rest = g.mul(y, dy);
  return g.add(g.swiglu(x, g.div(g.sub(g.mul(dy, up), rest), x)), rest);
}
/** Makes a gate of 0 divisible, and is lost in any other. */
const nearZero = 1e-30;

/** √(2 / π) and 0.044715: GELU's approximation is x/2 · (1 + tanh(c · (x + k x³))). */
const gelu = { c: Math.sqrt(2 / Math.PI), k: 0.044715 };

/** The gate of Gemma's feed-forward network: gelu(gate) ∘ up. */
export const geglu: Rule<[gate: Tensor, up: Tensor]> = {
  forward: (g, gate, up) => g.geglu(gate, up),
  backward: (g, dy, _y, gate, up) => [
    () => g.mul(g.mul(dy, up), geluSlope(g, gate)),
    () => g.geglu(gate, dy),
  ],
};

/** ½ (1 + t) + ½ x (1 − t²) c (1 + 3 k x²), where t is the tanh. */
function geluSlope(g: Operations, x: Tensor): Tensor {
  const { c, k } = gelu;
  const square = g.square(x);
  const t = g.tanh(g.mul(g.affine(square, c * k, c), x));
  const innerSlope = g.mul(g.affine(square, 3 * c * k, c), x);
  return g.add(g.affine(t, 0.5, 0.5), g.mul(g.affine(g.square(t), -0.5, 0.5), innerSlope));
}

/** Trainable weights W [in, out], x [in, tokens] → Wᵀ x [out, tokens]. */
export const linear: Rule<[weights: Tensor, x: Tensor]> = {
  forward: (g, weights, x) =>
    isShortSum(g, weights.shape[0])
      ? g.outerProduct(g.contiguous(g.transpose(weights)), g.transpose(x))
      : g.mulMat(weights, x),
  backward: (g, dy, _y, weights, x) => [
    () => outerProduct(g, x, dy),
    () =>
      isShortSum(g, weights.shape[1])
        ? g.outerProduct(weights, g.transpose(dy))
        : g.mulMat(g.contiguous(g.transpose(weights)), dy),
  ],
};

/**
 * A sum over so few numbers, as over an adapter's rank, takes ggml's product on a CPU more time to add up at its end than to
 * multiply: OUT_PROD, which adds row to row instead, is 10 times as fast with 8 numbers and 4 times with 16.
 */
function isShortSum(g: Operations, length: number): boolean {
  return g.backend.device.isCpu && length < shortSum;
}
/** With 64 both take the same time. */
const shortSum = 64;

/** A matrix of any type that is not trained, and what its gradient with respect to x is made with. */
export interface FrozenMatrix {
  /** [in, out], of any type. */
  weights: Tensor;
  /** The same transposed [out, in], of a type that multiplies fast; null where weights are dequantized as they are needed. */
  transposed: Tensor | null;
  /** I32 0, 1, 2 …, at least as many as there are rows. */
  rowIndexes: Tensor;
}

/** Frozen weights W [in, out] of any type, x [in, tokens] → Wᵀ x [out, tokens]. */
export const frozenLinear = ({ weights, transposed, rowIndexes }: FrozenMatrix): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.mulMat(weights, x),
  backward: (g, dy) => [
    () => {
      if (transposed) return g.mulMat(transposed, dy);
      const numbers = weights.type === 'F32' ? weights : dequantized(g, weights, rowIndexes);
      return g.either(
        () => g.outerProduct(numbers, g.transpose(dy)),
        () => g.mulMat(g.contiguous(g.transpose(numbers)), dy),
      );
    },
  ],
});

/** Weights [in, out] of any type as F32. */
export function dequantized(g: Operations, weights: Tensor, rowIndexes: Tensor): Tensor {
  return g.getRows(weights, g.view(rowIndexes, [weights.shape[1]]));
}

/** Rows of trainable weights [n, rows] by their indexes (I32 [m]) → [n, m]. */
export const rows = (indexes: Tensor): Rule<[weights: Tensor]> => ({
  forward: (g, weights) => g.getRows(weights, indexes),
  backward: (g, dy, _y, weights) => [() => g.getRowsBack(dy, indexes, weights)],
});

/** Rotary position embedding of x [head, heads, tokens]. */
export const rope = (positions: Tensor, factors: Tensor | null, options: RopeOptions): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.rope(x, positions, factors, options),
  backward: (g, dy) => [() => g.ropeBack(dy, positions, factors, options)],
});

/** The same numbers in another shape. */
export const reshape = (...shape: number[]): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.reshape(x, ...shape),
  backward: (g, dy, _y, x) => [() => g.reshape(dy, ...x.shape)],
});

/** `count` numbers of each row, from one on: [n, rows] → [count, rows]. */
export const columns = (from: number, count: number): Rule<[x: Tensor]> => ({
  forward: (g, x) => g.contiguous(g.view(x, [count, x.shape[1]], [from])),
  backward: (g, dy, _y, x) => [() => g.pad(dy, [from, x.shape[0] - from - count])],
});

/** So narrow a matrix gains nothing from ggml's product of transposed copies on a CPU, and saves the copies. */
const narrow = 64;

/** Σ over columns: a [in, tokens], b [out, tokens] → Σₜ aₜ bₜᵀ [in, out]. */
function outerProduct(g: Operations, a: Tensor, b: Tensor): Tensor {
  const asProduct = () => g.mulMat(transposedOnce(g, a), transposedOnce(g, b));
  if (!g.backend.device.isCpu) return g.either(() => g.outerProduct(a, b), asProduct);
  // On a CPU, OUT_PROD is slow but where one operand is narrow: it runs along the first one.
  if (b.shape[0] <= narrow) return g.outerProduct(unaligned(g, a), b);
  return a.shape[0] <= narrow ? g.contiguous(g.transpose(g.outerProduct(unaligned(g, b), a))) : asProduct();
}

/**
 * Rows whose length is a multiple of 2 KiB share a few sets of a processor's cache, and OUT_PROD, which reads 32 of them side by
 * side, takes more than twice as long: a [n, tokens] as a view of a copy with longer rows.
 */
function unaligned(g: Operations, a: Tensor): Tensor {
  const [width, tokens] = a.shape;
  if (width % alignedWidth !== 0 || a.strides[1] !== width * a.layout.blockBytes) return a;
  const known = unalignedCopies.get(a);
  if (known) return known;
  const pieces = width / pieceLength;
  // As rows of a piece each, so that a further one can be put behind those of every token.
  const parts = g.getRows(g.reshape(a, pieceLength, pieces * tokens), lengthenedRows(g, pieces, tokens));
  const copy = g.view(g.reshape(parts, width + pieceLength, tokens), [width, tokens]);
  unalignedCopies.set(a, copy);
  return copy;
}
const unalignedCopies = new WeakMap<Tensor, Tensor>();
/** Numbers in 2 KiB. */
const alignedWidth = 512;
const pieceLength = 64;

/** Indexes of `pieces` rows for each token, and the last of them once more. */
function lengthenedRows(g: Operations, pieces: number, tokens: number): Tensor {
  return g.constant(`${pieces} pieces of ${tokens}`, () =>
    Int32Array.from({ length: (pieces + 1) * tokens }, (_, at) => {
      const token = Math.floor(at / (pieces + 1));
      return token * pieces + Math.min(at % (pieces + 1), pieces - 1);
    }),
  );
}

/** q, k and v share their input, and so do gate and up: it is transposed once for all of them. */
const transposedCopies = new WeakMap<Tensor, Tensor>();
function transposedOnce(g: Operations, a: Tensor): Tensor {
  const copy = transposedCopies.get(a) ?? g.contiguous(g.transpose(a));
  transposedCopies.set(a, copy);
  return copy;
}

/** What was repeated to the shape of dy is summed up again to the shape of b. */
function sumTo(g: Operations, dy: Tensor, b: Tensor): Tensor {
  if (dy.shape.every((length, index) => length === b.shape[index])) return dy;
  return g.either(
    () => g.repeatBack(dy, b),
    // A vector that was added to or multiplied with every row.
    () => {
      const [n, ...rest] = dy.shape;
      const flat = g.reshape(dy, n, rest[0] * rest[1] * rest[2]);
      return g.reshape(g.sumRows(g.contiguous(g.transpose(flat))), ...b.shape);
    },
  );
}
