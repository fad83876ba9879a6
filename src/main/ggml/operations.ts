import { type GgmlTypeName, ggmlTypes } from '../weights/formats/gguf.ts';
import { fullShape, TensorContext } from './context.ts';
import type { Tensor } from './tensor.ts';

/** How pairs of numbers are rotated by position (GGML_ROPE_TYPE_*): neighbours, or the two halves of a head. */
export const ropeModes = { neighbours: 0, halves: 2 } as const;

export interface RopeOptions {
  mode: keyof typeof ropeModes;
  /** How many numbers of a head are rotated. */
  dimensions: number;
  /** Context that the model was first trained for, in tokens. */
  originalContext: number;
  base: number;
  scale: number;
  /** YaRN's mix of interpolation and extrapolation; 0 without it. */
  extrapolation: number;
  attentionFactor: number;
  betaFast: number;
  betaSlow: number;
}

/**
 * ggml's operations, in the order of ggml.h. Each gives a tensor that stands for its result; nothing is computed until a graph
 * with it is. Shapes: fastest dimension first. Numbers are F32 where nothing else is said.
 */
export class Operations extends TensorContext {
  /** What `constant` has made, for graphs to write. */
  readonly constants = new Map<string, { tensor: Tensor; numbers: Int32Array }>();

  /** a + b; b is repeated to the shape of a. */
  add(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_add(this.pointer, a.pointer, b.pointer));
  }

  /** The same, written into a. */
  addInPlace(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_add_inplace(this.pointer, a.pointer, b.pointer));
  }

  /** a with b, which is no larger along any dimension, added from the beginning on; written into a. */
  accumulateInPlace(a: Tensor, b: Tensor): Tensor {
    const [, row, matrix, cube] = a.strides;
    return this.wrap(
      this.functions.ggml_acc_inplace(this.pointer, a.pointer, b.pointer, row, matrix, cube, 0),
    );
  }

  /** a with b, from a place on, written over a part of it. */
  setInPlace(a: Tensor, b: Tensor, from: readonly number[]): Tensor {
    const [, row, matrix, cube] = a.strides;
    return this.wrap(
      this.functions.ggml_set_inplace(
        ...([this.pointer, a.pointer, b.pointer, row, matrix, cube, offsetOf(a, from)] as const),
      ),
    );
  }

  /** a − b; b is repeated to the shape of a. */
  sub(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_sub(this.pointer, a.pointer, b.pointer));
  }

  /** a ∘ b; b is repeated to the shape of a. */
  mul(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_mul(this.pointer, a.pointer, b.pointer));
  }

  /** a / b; b is repeated to the shape of a. */
  div(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_div(this.pointer, a.pointer, b.pointer));
  }

  square(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_sqr(this.pointer, a.pointer));
  }

  squareRoot(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_sqrt(this.pointer, a.pointer));
  }

  log(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_log(this.pointer, a.pointer));
  }

  /** All numbers → [1]. */
  sum(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_sum(this.pointer, a.pointer));
  }

  /** [n, rows, …] → [1, rows, …]. */
  sumRows(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_sum_rows(this.pointer, a.pointer));
  }

  /** a, as often as it fits into the shape of b. */
  repeat(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_repeat(this.pointer, a.pointer, b.pointer));
  }

  /** The reverse: what `repeat` would have spread is summed up to the shape of b. */
  repeatBack(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_repeat_back(this.pointer, a.pointer, b.pointer));
  }

  /** a, followed by b along a dimension. */
  concat(a: Tensor, b: Tensor, dimension: number): Tensor {
    return this.wrap(this.functions.ggml_concat(this.pointer, a.pointer, b.pointer, dimension));
  }

  tanh(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_tanh(this.pointer, a.pointer));
  }

  /** dx of `silu(x)`. */
  siluBack(dy: Tensor, x: Tensor): Tensor {
    return this.wrap(this.functions.ggml_silu_back(this.pointer, dy.pointer, x.pointer));
  }

  /** gelu(gate) ∘ up, by GELU's approximation with tanh. */
  geglu(gate: Tensor, up: Tensor): Tensor {
    return this.wrap(this.functions.ggml_geglu_split(this.pointer, gate.pointer, up.pointer));
  }

  /** silu(gate) ∘ up. */
  swiglu(gate: Tensor, up: Tensor): Tensor {
    return this.wrap(this.functions.ggml_swiglu_split(this.pointer, gate.pointer, up.pointer));
  }

  /** Each row by its root mean square. */
  rmsNorm(a: Tensor, epsilon: number): Tensor {
    return this.wrap(this.functions.ggml_rms_norm(this.pointer, a.pointer, epsilon));
  }

  /** dx of `rmsNorm(x)`. */
  rmsNormBack(dy: Tensor, x: Tensor, epsilon: number): Tensor {
    return this.wrap(this.functions.ggml_rms_norm_back(this.pointer, dy.pointer, x.pointer, epsilon));
  }

  /** a [k, n, …] of any type, b [k, m, …] → aᵀ b [n, m, …]. b may have several times the matrices of a. */
  mulMat(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_mul_mat(this.pointer, a.pointer, b.pointer));
  }

  /** a [m, n], b [p, n] → Σₙ aₙ bₙᵀ [m, p]. */
  outerProduct(a: Tensor, b: Tensor): Tensor {
    return this.wrap(this.functions.ggml_out_prod(this.pointer, a.pointer, b.pointer));
  }

  scale(a: Tensor, factor: number): Tensor {
    return this.wrap(this.functions.ggml_scale(this.pointer, a.pointer, factor));
  }

  /** a · factor + bias. */
  affine(a: Tensor, factor: number, bias: number): Tensor {
    return this.wrap(this.functions.ggml_scale_bias(this.pointer, a.pointer, factor, bias));
  }

  cast(a: Tensor, type: GgmlTypeName): Tensor {
    return this.wrap(this.functions.ggml_cast(this.pointer, a.pointer, ggmlTypes[type].id));
  }

  /** A copy without gaps, after `permute`, `transpose` or `view`. */
  contiguous(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_cont(this.pointer, a.pointer));
  }

  reshape(a: Tensor, ...shape: number[]): Tensor {
    return this.wrap(this.functions.ggml_reshape_4d(this.pointer, a.pointer, ...fullShape(shape)));
  }

  /** A part of a without a copy: so many numbers along each dimension, from a place in each on. */
  view(a: Tensor, shape: readonly number[], from: readonly number[] = []): Tensor {
    const [, row, matrix, cube] = a.strides;
    const offset = offsetOf(a, from);
    return this.wrap(
      this.functions.ggml_view_4d(
        this.pointer,
        a.pointer,
        ...fullShape(shape),
        ...([row, matrix, cube, offset] as const),
      ),
    );
  }

  /** Dimension i of a becomes dimension axes[i], without a copy. */
  permute(a: Tensor, ...axes: [number, number, number, number]): Tensor {
    return this.wrap(this.functions.ggml_permute(this.pointer, a.pointer, ...axes));
  }

  /** [n, m, …] → [m, n, …], without a copy. */
  transpose(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_transpose(this.pointer, a.pointer));
  }

  /** a [n, rows] of any type, indexes I32 [m] → [n, m] in F32. */
  getRows(a: Tensor, indexes: Tensor): Tensor {
    return this.wrap(this.functions.ggml_get_rows(this.pointer, a.pointer, indexes.pointer));
  }

  /** da of `getRows(a, indexes)`: dy [n, m] is added up in the rows that it came from. */
  getRowsBack(dy: Tensor, indexes: Tensor, a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_get_rows_back(this.pointer, dy.pointer, indexes.pointer, a.pointer));
  }

  /** a [n, rows] with rows [n, m] written over those of the indexes (I64 [m]). a's memory is changed. */
  setRows(a: Tensor, rows: Tensor, indexes: Tensor): Tensor {
    return this.wrap(this.functions.ggml_set_rows(this.pointer, a.pointer, rows.pointer, indexes.pointer));
  }

  /** Rows of softmax(a · scale + mask). Mask: [n, rows] for a [n, rows, …]. */
  softmax(a: Tensor, { mask = null, scale = 1 }: { mask?: Tensor | null; scale?: number } = {}): Tensor {
    return this.wrap(
      this.functions.ggml_soft_max_ext(this.pointer, a.pointer, mask?.pointer ?? null, scale, 0),
    );
  }

  /** da of y = `softmax(a, { scale })`. */
  softmaxBack(dy: Tensor, y: Tensor, scale: number): Tensor {
    return this.wrap(this.functions.ggml_soft_max_ext_back(this.pointer, dy.pointer, y.pointer, scale, 0));
  }

  /**
   * softmax(kᵀ q · scale + mask) times v, of which no row is kept (https://arxiv.org/abs/2205.14135): q [head, queries, heads],
   * k [head, keys, groups], v [n, keys, groups], mask F16 [keys, queries] → [n, heads, queries].
   */
  flashAttention(q: Tensor, k: Tensor, v: Tensor, { mask, scale }: { mask: Tensor; scale: number }): Tensor {
    const [bias, cap] = [0, 0];
    return this.wrap(
      this.functions.ggml_flash_attn_ext(
        ...([this.pointer, q.pointer, k.pointer, v.pointer, mask.pointer, scale, bias, cap] as const),
      ),
    );
  }

  /** Rotates a [head, heads, tokens] by the tokens' positions (I32 [tokens]). Factors [dimensions / 2] divide the frequencies. */
  rope(a: Tensor, positions: Tensor, factors: Tensor | null, options: RopeOptions): Tensor {
    return this.#rope(this.functions.ggml_rope_ext, a, positions, factors, options);
  }

  /** da of `rope(a, …)`: the rotation backwards. */
  ropeBack(dy: Tensor, positions: Tensor, factors: Tensor | null, options: RopeOptions): Tensor {
    return this.#rope(this.functions.ggml_rope_ext_back, dy, positions, factors, options);
  }

  #rope(
    rope: (typeof this.functions)['ggml_rope_ext'],
    a: Tensor,
    positions: Tensor,
    factors: Tensor | null,
    options: RopeOptions,
  ): Tensor {
    const { dimensions, mode, originalContext, base, scale } = options;
    const { extrapolation, attentionFactor, betaFast, betaSlow } = options;
    return this.wrap(
      rope(
        ...([this.pointer, a.pointer, positions.pointer, factors?.pointer ?? null] as const),
        ...([dimensions, ropeModes[mode], originalContext, base, scale] as const),
        ...([extrapolation, attentionFactor, betaFast, betaSlow] as const),
      ),
    );
  }

  clamp(a: Tensor, least: number, most: number): Tensor {
    return this.wrap(this.functions.ggml_clamp(this.pointer, a.pointer, least, most));
  }

  /** a with zeros around it: so many before and behind, along the first two dimensions. */
  pad(
    a: Tensor,
    first: readonly [before: number, behind: number],
    second: readonly [before: number, behind: number] = [0, 0],
  ): Tensor {
    return this.wrap(this.functions.ggml_pad_ext(this.pointer, a.pointer, ...first, ...second, 0, 0, 0, 0));
  }

  /**
   * One step of AdamW, written into the parameter and its moments. Settings, 7 numbers: learning rate, β₁, β₂, ε, weight
   * decay, 1 / (1 − β₁ᵗ), 1 / (1 − β₂ᵗ).
   */
  adamW(
    parameter: Tensor,
    gradient: Tensor,
    moments: { first: Tensor; second: Tensor },
    settings: Tensor,
  ): Tensor {
    this.functions.ggml_set_param(parameter.pointer);
    return this.wrap(
      this.functions.ggml_opt_step_adamw(
        ...([this.pointer, parameter.pointer, gradient.pointer] as const),
        ...([moments.first.pointer, moments.second.pointer, settings.pointer] as const),
      ),
    );
  }

  /** Zeros in the shape of a. */
  zerosLike(a: Tensor): Tensor {
    return this.wrap(this.functions.ggml_fill(this.pointer, a.pointer, 0));
  }

  /** A tensor that is written from outside before each computation of a graph. */
  input(type: GgmlTypeName, ...shape: number[]): Tensor {
    const tensor = this.create(type, ...shape);
    this.functions.ggml_set_input(tensor.pointer);
    return tensor;
  }

  /** Numbers that never change, by a name under which they are made only once: written when a graph gets its memory. */
  constant(name: string, numbers: () => Int32Array): Tensor {
    const known = this.constants.get(name);
    if (known) return known.tensor;
    const made = numbers();
    const tensor = this.output(this.input('I32', made.length));
    this.constants.set(name, { tensor, numbers: made });
    return tensor;
  }

  /** Keeps a result's memory until the graph has been computed, so that it can be read. */
  output(tensor: Tensor): Tensor {
    this.functions.ggml_set_output(tensor.pointer);
    return tensor;
  }

  /** What the backend computes itself, or else what stands for it. */
  either(operation: () => Tensor, composed: () => Tensor): Tensor {
    const built = operation();
    return this.backend.supports(built) ? built : composed();
  }
}

/** In bytes. */
function offsetOf({ strides }: Tensor, from: readonly number[]): number {
  return strides.reduce((sum, stride, index) => sum + stride * (from[index] ?? 0), 0);
}
