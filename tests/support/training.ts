import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import { type Parameter, Tape } from '../../src/main/training/autodiff/index.ts';
import { pack, type Sequence } from '../../src/main/training/batches.ts';
import { Backend, chooseDevice, Graph, Operations, type Tensor } from '../../src/main/ggml/index.ts';
import { adaptedMatrices, Lora, loraParameters } from '../../src/main/training/lora.ts';
import {
  defaultTrainingSettings,
  loraTargets,
  type TrainingEvent,
  type TrainingInput,
  type TrainingJobs,
  type TrainingResult,
  type TrainingSettings,
} from '../../src/main/training/messages.ts';
import {
  describeDecoder,
  hiddenStates,
  logitsOf,
  type Model,
  Weights,
} from '../../src/main/training/models/index.ts';
import { ParameterSet } from '../../src/main/training/parameters.ts';
import { GraphInputs } from '../../src/main/training/sequence-inputs.ts';
import { readGguf } from '../../src/main/weights/formats/gguf.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { seededRandom } from './tiny-random.ts';

/** A run in an engine process of its own, as the command line starts it. */
export interface Run {
  /** Fails as the run fails. */
  result: Promise<TrainingResult>;
  events: TrainingEvent[];
  /** Asks it to stop, and keep what it has. */
  stop(): void;
  kill(): void;
}

export function startRun(
  input: Omit<TrainingInput, 'settings' | 'resume'> & {
    settings?: Partial<TrainingSettings>;
    resume?: boolean;
  },
  onEvent: (event: TrainingEvent, run: Run) => void = () => undefined,
): Run {
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchChildProcess });
  const controller = new AbortController();
  const whole: TrainingInput = {
    ...input,
    settings: { ...defaultTrainingSettings, device: 'cpu', ...input.settings },
    resume: input.resume ?? false,
  };
  const run: Run = {
    events: [],
    stop: () => controller.abort(),
    kill: () => void (engine.pid !== undefined && process.kill(engine.pid, 'SIGKILL')),
    result: engine
      .run('train', whole, {
        signal: controller.signal,
        onEvent: (event) => {
          run.events.push(event);
          onEvent(event, run);
        },
      })
      .finally(() => engine.stop()),
  };
  return run;
}

/** The CPU, with the threads that training itself would take. */
export function openCpu(): Backend {
  const { library, device } = chooseDevice('cpu', 'cpu');
  return new Backend(library, device, { threads: Math.max(1, availableParallelism() - 1) });
}

export interface Differentiated {
  /** Shapes of what is differentiated. */
  inputs: (readonly number[])[];
  /** The index of an input that is all zeros; the others are random. */
  zero?: number;
  /** What else the operation needs, given to `build` behind the inputs. */
  constants?: (Float32Array | Int32Array | BigInt64Array)[];
  build(tape: Tape, ...tensors: Tensor[]): Tensor;
}

/**
 * Differentiates Σ wᵢ yᵢ, with fixed random w, by the tape and by finite differences. Gives, for each input, the largest
 * difference between the two relative to the largest gradient.
 */
export async function compareGradients(
  backend: Backend,
  { inputs, zero, constants = [], build }: Differentiated,
  kind: typeof Operations,
): Promise<number[]> {
  const random = seededRandom(3);
  using stored = new Operations(backend, { tensors: 256 });
  const values = inputs.map((shape) => stored.create('F32', ...shape));
  const parameters = new Map<Tensor, Parameter>(
    values.map((value) => [value, { value, gradient: stored.create('F32', ...value.shape) }]),
  );
  const given = constants.map((numbers) => stored.create(typeOf(numbers), numbers.length));

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
  const emptied = zero === undefined ? undefined : values[zero];
  if (emptied) backend.write(emptied, new Float32Array(emptied.count));
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
    // What has no gradient at all is compared as it is.
    differences.push(difference / (largest || 1));
  }
  return differences;
}

function typeOf(numbers: Float32Array | Int32Array | BigInt64Array): 'F32' | 'I32' | 'I64' {
  if (numbers instanceof Float32Array) return 'F32';
  return numbers instanceof Int32Array ? 'I32' : 'I64';
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

/** Numbers of an F32 file's tensors, by name. */
export async function readNumbers(path: string): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const { tensors, dataOffset } = await readGguf(path);
  const { buffer } = Uint8Array.from(await readFile(path));
  return new Map(
    tensors.map(({ name, offset, bytes }) => [
      name,
      new Float32Array(buffer, dataOffset + offset, bytes / 4),
    ]),
  );
}

/** Logits of the last token, as the training graph computes them, with an adapter's file or without. */
export async function trainingLogits(
  path: string,
  tokens: readonly number[],
  adapter: { path: string; rank: number; scale: number } | null,
): Promise<Float32Array> {
  using backend = openCpu();
  const file = await readModelFile(path);
  const decoder = describeDecoder(file);
  using weights = await Weights.load(backend, file, { transposed: () => false, exact: false });
  const numbers = adapter ? await readNumbers(adapter.path) : new Map<string, Float32Array<ArrayBuffer>>();
  using parameters = new ParameterSet(
    backend,
    loraParameters(adaptedMatrices(file.tensors, loraTargets), adapter?.rank ?? 1),
  );
  for (const { name, value } of parameters.tensors)
    backend.write(value, numbers.get(name) ?? new Float32Array());

  const [sequence] = pack([{ tokens, learnt: [] }], tokens.length);
  if (!sequence) throw new Error('Nothing was packed.');
  const model = { decoder, weights, adapters: adapter ? new Lora(parameters, adapter.scale) : null };
  const logits = await sequenceLogits(backend, model, sequence, { attentionChunk: 256 });
  return logits.subarray(-decoder.vocabulary);
}

/** Logits of every token of a sequence, as the training graph computes them. */
export async function sequenceLogits(
  backend: Backend,
  model: Model,
  sequence: Sequence,
  { attentionChunk }: { attentionChunk: number },
): Promise<Float32Array> {
  using inputs = new GraphInputs(backend, model.decoder, sequence.tokens.length);
  using g = new Operations(backend, { tensors: 4096, graphs: [4096] });
  using graph = new Graph(g, 4096);
  const tape = new Tape(g, graph, new Map());
  const options = { attentionChunk, checkpoint: false };
  const logits = g.output(logitsOf(tape, model, hiddenStates(tape, model, inputs.sequence, options)));
  graph.expand(logits);
  inputs.allocate();
  graph.allocate();
  inputs.write(sequence);
  await backend.compute(graph);
  return backend.read(logits);
}

/** Root mean square of the difference, relative to that of the second. */
export function relativeDifference(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length)
    throw new Error(`${one.length} numbers were compared with ${other.length}.`);
  const squares = (numbers: Float32Array) => numbers.reduce((sum, number) => sum + number ** 2, 0);
  return Math.sqrt(squares(one.map((number, index) => number - (other[index] ?? NaN))) / squares(other));
}
