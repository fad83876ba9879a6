import { afterAll, describe, expect, test } from 'vitest';
import { attention, type GradientTypes, maskFrom, rules } from '../../src/main/training/autodiff/index.ts';
import { type Backend, Operations, type RopeOptions, type Tensor } from '../../src/main/ggml/index.ts';
import { crossEntropy } from '../../src/main/training/objectives/cross-entropy.ts';
import { compareGradients, type Differentiated, openCpu } from '../support/training.ts';

/** ggml computes in F32; more digits finite differences don't give. */
const tolerance = 1e-2;
/** On the CPU ggml looks GELU up in a table of F16 numbers, so that its slope has steps. */
const tableTolerance = 3e-2;
/** BF16 has 8 bits, as have Q8_0's numbers, and several products follow each other. */
const roundedTolerance = 3e-2;
const tolerances: Record<string, number> = {
  GeGLU: tableTolerance,
  'attention whose gradients are of BF16': roundedTolerance,
  'attention whose values are of 8 bits on the way back': roundedTolerance,
};

const backend = openCpu();
afterAll(() => backend[Symbol.dispose]());

const ropeOptions: RopeOptions = {
  ...{ mode: 'neighbours', dimensions: 8, originalContext: 64, base: 10_000, scale: 1 },
  ...{ extrapolation: 0, attentionFactor: 1, betaFast: 32, betaSlow: 1 },
};
const positions = Int32Array.of(0, 1, 2, 0, 1, 5);
const indexes = Float32Array.of(0, 1, 2, 3, 4, 5);
/** Two samples of three tokens; the last token of the second sees only itself and its neighbour. */
const firstSeen = Float32Array.of(0, 0, 0, 3, 3, 4);

/** [32, 8] */
const frozenNumbers = Float32Array.from({ length: 32 * 8 }, (_, at) => Math.sin(at * at));

/** Two keys more than there are, which nobody may see. */
const furtherKeys = 2;
const longerIndexes = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);

interface AttentionVariant {
  gradientTypes?: GradientTypes;
  head?: number;
  isLonger?: boolean;
}

const exact: GradientTypes = { values: 'F32', others: 'F32' };

const attentionOf = (
  chunk: number,
  { gradientTypes = exact, head = 8, isLonger = false }: AttentionVariant = {},
): Differentiated => ({
  inputs: [
    [head, 4, 6],
    [head, 2, 6],
    [head, 2, 6],
  ],
  constants: [isLonger ? longerIndexes : indexes, firstSeen],
  build: (tape, q, k, v, keys, first) =>
    tape.apply(
      attention({
        scale: 0.35,
        chunk,
        gradientTypes,
        furtherKeys: isLonger ? furtherKeys : 0,
        settle: (tensor) => tape.settle(tensor),
        mask: maskFrom(keys, first),
      }),
      q,
      k,
      v,
    ),
});

const operations: Record<string, Differentiated> = {
  'a sum': {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    build: (tape, a, b) => tape.apply(rules.add, a, b),
  },
  'a sum with a repeated vector': {
    inputs: [[6, 5], [6]],
    build: (tape, a, b) => tape.apply(rules.add, a, b),
  },
  'a product': {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    build: (tape, a, b) => tape.apply(rules.mul, a, b),
  },
  'a product with a repeated vector': {
    inputs: [[6, 5, 2], [6]],
    build: (tape, a, b) => tape.apply(rules.mul, a, b),
  },
  'a value that is used twice': { inputs: [[6, 5]], build: (tape, a) => tape.apply(rules.mul, a, a) },
  'a scaled value': { inputs: [[6, 5]], build: (tape, a) => tape.apply(rules.scale(-0.7), a) },
  tanh: { inputs: [[6, 5]], build: (tape, a) => tape.apply(rules.tanh, a) },
  'an RMS norm': { inputs: [[16, 5]], build: (tape, a) => tape.apply(rules.rmsNorm(1e-5), a) },
  SwiGLU: {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    build: (tape, a, b) => tape.apply(rules.swiglu, a, b),
  },
  'SwiGLU whose gate is zero': {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    zero: 0,
    build: (tape, a, b) => tape.apply(rules.swiglu, a, b),
  },
  GeGLU: {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    build: (tape, a, b) => tape.apply(rules.geglu, a, b),
  },
  'a trained matrix': {
    inputs: [
      [32, 8],
      [32, 5],
    ],
    build: (tape, w, x) => tape.apply(rules.linear, w, x),
  },
  'a trained matrix with long rows and columns': {
    inputs: [
      [72, 66],
      [72, 5],
    ],
    build: (tape, w, x) => tape.apply(rules.linear, w, x),
  },
  'a trained matrix whose rows are 2 KiB long': {
    inputs: [
      [512, 3],
      [512, 4],
    ],
    build: (tape, w, x) => tape.apply(rules.linear, w, x),
  },
  'a frozen matrix': {
    inputs: [[32, 5]],
    constants: [frozenNumbers],
    build: (tape, x, w) => {
      const weights = tape.g.reshape(w, 32, 8);
      return tape.apply(rules.frozenLinear({ weights, transposed: null, rowIndexes: w }), x);
    },
  },
  'a frozen matrix with a transposed copy': {
    inputs: [[32, 5]],
    constants: [
      frozenNumbers,
      // [8, 32]: its columns are the rows of the other.
      Float32Array.from(
        { length: 32 * 8 },
        (_, at) => frozenNumbers[(at % 8) * 32 + Math.floor(at / 8)] ?? NaN,
      ),
    ],
    build: (tape, x, w, copy) => {
      const [weights, transposed] = [tape.g.reshape(w, 32, 8), tape.g.reshape(copy, 8, 32)];
      return tape.apply(rules.frozenLinear({ weights, transposed, rowIndexes: w }), x);
    },
  },
  'cross-entropy': {
    inputs: [[7, 3]],
    constants: [Int32Array.of(2, 7 + 6, 14 + 0), BigInt64Array.of(2n, 13n, 14n), Float32Array.of(0.5, 0, 2)],
    build(tape, logits, places, placesToWrite, factors) {
      const learnt = tape.g.reshape(factors, 1, 3);
      const rule = crossEntropy({ places, placesToWrite, learnt }, { dyIsOne: false });
      return tape.apply(rules.mul, tape.apply(rule, logits), learnt);
    },
  },
  'a rotation of neighbours': {
    inputs: [[8, 2, 6]],
    constants: [positions],
    build: (tape, x, at) => tape.apply(rules.rope(at, null, ropeOptions), x),
  },
  'a rotation of halves, scaled by YaRN and by factors': {
    inputs: [[10, 2, 6]],
    constants: [positions, Float32Array.of(1, 2, 4, 8)],
    build: (tape, x, at, factors) =>
      tape.apply(
        rules.rope(at, factors, { ...ropeOptions, mode: 'halves', scale: 0.5, extrapolation: 1 }),
        x,
      ),
  },
  'another shape': { inputs: [[6, 4]], build: (tape, x) => tape.apply(rules.reshape(3, 8), x) },
  'some columns': { inputs: [[6, 4]], build: (tape, x) => tape.apply(rules.columns(2, 3), x) },
  'rows by their index': {
    inputs: [[6, 4]],
    constants: [Int32Array.of(3, 0, 3)],
    build: (tape, x, at) => tape.apply(rules.rows(at), x),
  },
  attention: attentionOf(6),
  'attention in chunks': attentionOf(4),
  'attention over further keys': attentionOf(4, { isLonger: true }),
  'attention in many chunks over further keys': attentionOf(2, { isLonger: true }),
  'attention whose gradients are of BF16': attentionOf(4, {
    gradientTypes: { values: 'F32', others: 'BF16' },
    isLonger: true,
  }),
  'attention whose values are of 8 bits on the way back': attentionOf(4, {
    gradientTypes: { values: 'Q8_0', others: 'F32' },
    head: 32,
    isLonger: true,
  }),
  'attention whose heads are no whole blocks of 8 bits': attentionOf(4, {
    gradientTypes: { values: 'Q8_0', others: 'F32' },
  }),
  'a segment that is computed again': {
    inputs: [
      [6, 5],
      [6, 5],
    ],
    build: (tape, a, b) => {
      const segment = tape.checkpoint((inner, x) => inner.apply(rules.tanh, inner.apply(rules.mul, x, b)), a);
      return tape.apply(rules.mul, segment, a);
    },
  },
};

/** A backend that has none of the fused operations: everything is composed, as on Metal. */
class Composed extends Operations {
  override either(_operation: () => Tensor, composed: () => Tensor): Tensor {
    return composed();
  }
}

/** A backend that says it is a GPU: gets the operations that a GPU would get. */
class ForGpu extends Operations {
  constructor(cpu: Backend, sizes: ConstructorParameters<typeof Operations>[1]) {
    const device = { ...cpu.device, isCpu: false };
    super(
      new Proxy(cpu, {
        get(target, key) {
          const value: unknown = key === 'device' ? device : Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
      sizes,
    );
  }
}

const ways = {
  'by the operations of the CPU': Operations,
  'by composed operations': Composed,
  'by the operations that a GPU gets': ForGpu,
};

describe.each(Object.entries(ways))('%s', (_, kind) => {
  test.each(Object.entries(operations))(
    'the gradient of %s is that of finite differences',
    async (name, operation) => {
      const differences = await compareGradients(backend, operation, kind);
      expect(differences).toHaveLength(operation.inputs.length);
      for (const difference of differences) {
        expect(difference).toBeLessThan(tolerances[name] ?? tolerance);
      }
    },
  );
});
