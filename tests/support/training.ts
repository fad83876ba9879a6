import { availableParallelism } from 'node:os';
import { type Parameter, Tape } from '../../src/main/training/autodiff/index.ts';
import { Backend, chooseDevice, Graph, Operations, type Tensor } from '../../src/main/training/ggml/index.ts';
import { seededRandom } from './tiny-random.ts';

/** The CPU, with the threads that training itself would take. */
export function openCpu(): Backend {
  const { library, device } = chooseDevice('cpu', 'cpu');
  return new Backend(library, device, { threads: Math.max(1, availableParallelism() - 1) });
}

export interface Differentiated {
  /** Shapes of what is differentiated. */
  inputs: (readonly number[])[];
  /** What else the operation needs, given to `build` behind the inputs. */
  constants?: (Float32Array | Int32Array)[];
  build(tape: Tape, ...tensors: Tensor[]): Tensor;
}

/**
 * Differentiates Σ wᵢ yᵢ, with fixed random w, by the tape and by finite differences. Gives, for each input, the largest
 * difference between the two relative to the largest gradient.
 */
export async function compareGradients(
  backend: Backend,
  { inputs, constants = [], build }: Differentiated,
  kind: typeof Operations,
): Promise<number[]> {
  const random = seededRandom(3);
  using stored = new Operations(backend, { tensors: 256 });
  const values = inputs.map((shape) => stored.create('F32', ...shape));
  const parameters = new Map<Tensor, Parameter>(
    values.map((value) => [value, { value, gradient: stored.create('F32', ...value.shape) }]),
  );
  const given = constants.map((numbers) =>
    stored.create(numbers instanceof Int32Array ? 'I32' : 'F32', numbers.length),
  );

  using forward = new Operations(backend, { tensors: 4096, graphs: [4096] });
  using forwardGraph = new Graph(forward, 4096);
  const y = build(new Tape(forward, forwardGraph, new Map()), ...values, ...given);
  const weights = stored.create('F32', ...y.shape);
  const loss = forward.output(forward.sum(forward.mul(y, weights)));
  forwardGraph.expand(loss);

  using backward = new kind(backend, { tensors: 4096, graphs: [4096] });
  using backwardGraph = new Graph(backward, 4096);
  const tape = new Tape(backward, backwardGraph, parameters);
  tape.backward(build(tape, ...values, ...given), weights);

  // Before the graphs, which would give a place to whatever has none.
  using memory = stored.allocate();
  forwardGraph.allocate();
  backwardGraph.allocate();
  memory.clear();
  given.forEach((tensor, index) => backend.write(tensor, constants[index] ?? new Float32Array()));
  for (const tensor of [...values, weights]) {
    backend.write(
      tensor,
      Float32Array.from({ length: tensor.count }, () => random.spread(1)),
    );
  }
  await backend.compute(backwardGraph);

  const differences: number[] = [];
  for (const { value, gradient } of parameters.values()) {
    const found = backend.read(gradient);
    const expected = await slopes(backend, value, async () => {
      await backend.compute(forwardGraph);
      return backend.read(loss)[0] ?? NaN;
    });
    const largest = found.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    const difference = found.reduce(
      (most, each, index) => Math.max(most, Math.abs(each - (expected[index] ?? NaN))),
      0,
    );
    differences.push(difference / largest);
  }
  return differences;
}

/** By four points around each number: with so few digits in F32, a wide step and a small error of the formula (h⁴). */
async function slopes(
  backend: Backend,
  tensor: Tensor,
  evaluate: () => Promise<number>,
): Promise<Float32Array> {
  const h = 2e-2;
  const numbers = backend.read(tensor);
  const result = new Float32Array(numbers.length);
  for (const [index, number] of numbers.entries()) {
    const at = async (shift: number) => {
      backend.write(tensor, Float32Array.of(number + shift), index * Float32Array.BYTES_PER_ELEMENT);
      return evaluate();
    };
    const [near, far] = [(await at(h)) - (await at(-h)), (await at(2 * h)) - (await at(-2 * h))];
    result[index] = (8 * near - far) / (12 * h);
    await at(0);
  }
  return result;
}
