import type { Llama } from 'node-llama-cpp';
import { peakMemoryBytes } from '../engine/peak-memory.ts';
import { PunaError } from '../../shared/error.ts';
import type { ModelFile } from '../weights/model-file.ts';
import { DropoutMasks } from './dropout.ts';
import { Backend, chooseDevice, type Device } from '../ggml/index.ts';
import { adaptedMatrices, initialValues, Lora, loraParameters, loraScale } from './lora.ts';
import { refuseIfTooLarge } from './memory.ts';
import type { TrainingEvent, TrainingPlan, TrainingSettings } from './messages.ts';
import { type Decoder, describeDecoder, type Model, Weights, type WeightsOptions } from './models/index.ts';
import { Optimizer } from './optimizer.ts';
import { type NewParameter, ParameterSet } from './parameters.ts';
import type { Plan } from './plan.ts';
import { SequenceGraph } from './sequence-graph.ts';
import { trainingThreads } from './threads.ts';
import type { Machinery } from './trainer.ts';

/** What this process takes beside what is counted: graphs' descriptions, kernels' work memory, JavaScript's own. Measured. */
const ownBytes = 24e6;

interface OpenOptions {
  signal: AbortSignal;
  emit: (event: TrainingEvent) => void;
}

/** Everything in memory that a run computes with: the model, what is trained, and the graphs. */
export class Session implements Disposable {
  readonly parameters: ParameterSet;
  readonly machinery: Machinery;
  readonly description: Description;
  readonly #backend: Backend;
  readonly #opened: DisposableStack;

  private constructor(
    backend: Backend,
    parts: { parameters: ParameterSet; machinery: Machinery; description: Description },
    opened: DisposableStack,
  ) {
    this.#backend = backend;
    this.parameters = parts.parameters;
    this.machinery = parts.machinery;
    this.description = parts.description;
    this.#opened = opened;
  }

  /** Errors: `unsupported-model`, `out-of-memory`, `invalid-input`, `cancelled`, and those of reading the file. */
  static async open(llamaCpp: Llama, file: ModelFile, plan: Plan, options: OpenOptions): Promise<Session> {
    const { settings } = plan;
    const decoder = describeDecoder(file);
    const { library, device } = chooseDevice(settings.device, llamaCpp.gpu || 'cpu');
    const threads = settings.threads ?? trainingThreads();
    // What is opened is closed again, whatever goes wrong from here on.
    using opened = new DisposableStack();
    const backend = opened.use(new Backend(library, device, { threads }));
    const before = device.isCpu ? process.memoryUsage().rss : 0;
    const free = Math.min(await freeMemory(llamaCpp, device), settings.memoryLimit ?? Infinity);

    const weights = opened.use(await loadWeights(backend, file, settings, { ...options, free }));
    const trained = trainedParameters(file, weights, settings);
    const parameters = opened.use(new ParameterSet(backend, trained));
    if (settings.trained === 'adapters') initialize(backend, parameters, trained, settings.seed);

    const otherBytes = weights.bytes + ParameterSet.measure(trained) + ownBytes;
    const build = (length: number, recompute: boolean) =>
      buildGraphs(backend, { decoder, weights }, parameters, { ...settings, length, recompute });
    const graphs = opened.use(fittingGraphs(build, plan, { otherBytes, free, device: device.name }));
    const evaluates = plan.validation.length > 0;
    graphs.allocate(evaluates);
    const optimizer = opened.use(new Optimizer(backend, parameters, settings));
    const { training, evaluation, dropout, recompute } = graphs;
    const parts = {
      parameters,
      machinery: { plan, optimizer, training, evaluation: evaluates ? evaluation : null, dropout },
      description: {
        device: device.isCpu ? `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : device.description,
        ...{ threads, recompute, estimatedBytes: before + otherBytes + graphs.bytes },
        parameters: trained.reduce((sum, { shape }) => sum + countOf(shape), 0),
      },
    };
    return new Session(backend, parts, opened.move());
  }

  /** The most that this process has taken of the device's memory so far, in bytes. */
  peakMemory(): number {
    const { device, library } = this.#backend;
    if (device.isCpu) return peakMemoryBytes();
    const free = new BigUint64Array(1);
    library.functions.ggml_backend_dev_memory(device.pointer, free, new BigUint64Array(1));
    return device.freeMemory - Number(free[0]);
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}

type Description = Pick<TrainingPlan, 'device' | 'threads' | 'parameters' | 'recompute' | 'estimatedBytes'>;

/** Before anything was loaded, in bytes. */
async function freeMemory(llamaCpp: Llama, device: Device): Promise<number> {
  return device.isCpu ? (await llamaCpp.getRamState()).free : device.freeMemory;
}

function loadWeights(
  backend: Backend,
  file: ModelFile,
  settings: TrainingSettings,
  { signal, emit, free }: OpenOptions & { free: number },
): Promise<Weights> {
  const options: WeightsOptions = {
    ...{ transposed: needsTransposed(settings), exact: settings.exact, signal },
    onProgress: (progress) => emit({ type: 'loading', progress }),
  };
  refuseIfTooLarge(Weights.measure(backend, file, options), free, {
    device: backend.device.name,
    smaller: () => smallerModel,
  });
  return Weights.load(backend, file, options);
}

const smallerModel = 'Choose a smaller model, or a smaller quantization of it.';

/**
 * The graphs as the settings want them; where the memory would not do and the settings leave it open, with layers that are
 * computed twice. Errors: `out-of-memory`, with what would fit.
 */
function fittingGraphs(
  build: (length: number, recompute: boolean) => Graphs,
  { length, settings }: Plan,
  { otherBytes, free, device }: { otherBytes: number; free: number; device: string },
): Graphs {
  const needs = (graphs: Graphs) => otherBytes + graphs.bytes;
  let graphs = build(length, settings.recompute === 'always');
  if (needs(graphs) > free && settings.recompute === 'auto') {
    graphs[Symbol.dispose]();
    graphs = build(length, true);
  }
  try {
    refuseIfTooLarge(needs(graphs), free, {
      device,
      smaller: () =>
        whatWouldFit((shorter) => {
          using smaller = build(shorter, true);
          return needs(smaller) <= free;
        }, length),
    });
    return graphs;
  } catch (thrown) {
    graphs[Symbol.dispose]();
    throw thrown;
  }
}

/** Gradients pass through every frozen matrix but those of the first layer that read the embeddings, which are not trained. */
function needsTransposed({ trained }: TrainingSettings): (name: string) => boolean {
  if (trained === 'all') return () => false;
  return (name) =>
    /^(blk\.\d+\.|output\.|token_embd\.)/.test(name) && !/^blk\.0\.attn_(q|k|v|qkv)\./.test(name);
}

function trainedParameters(file: ModelFile, weights: Weights, settings: TrainingSettings): NewParameter[] {
  if (settings.trained === 'adapters') {
    const matrices = adaptedMatrices(file.tensors, settings.targets);
    if (matrices.length > 0) return loraParameters(matrices, settings.rank);
    throw new PunaError(
      'invalid-input',
      `${file.path} has none of the matrices ${settings.targets.join(', ')}.`,
      'Choose others with --targets.',
    );
  }
  const frozen = /^(rope_freqs|rope_factors)/;
  const other = file.tensors.find(({ name, type }) => type.name !== 'F32' && !frozen.test(name));
  if (other) {
    throw new PunaError(
      'invalid-input',
      `All weights can be trained only where all are F32, and ${other.name} is ${other.type.name}.`,
      'Convert the model to F32, or train an adapter.',
    );
  }
  return file.tensors
    .filter(({ name }) => !frozen.test(name))
    .map(({ name, shape }) => ({ name, shape, value: weights.get(name) }));
}

function initialize(
  backend: Backend,
  { tensors }: ParameterSet,
  parameters: readonly NewParameter[],
  seed: number,
): void {
  tensors.forEach(({ value }, index) => {
    const parameter = parameters[index];
    if (parameter) backend.write(value, initialValues(parameter, index, seed));
  });
}

/** The graphs of a run, which are described but take no memory before they are allocated. */
interface Graphs extends Disposable {
  training: SequenceGraph;
  evaluation: SequenceGraph;
  dropout: DropoutMasks | null;
  recompute: boolean;
  bytes: number;
  allocate(evaluates: boolean): void;
}

function buildGraphs(
  backend: Backend,
  base: { decoder: Decoder; weights: Weights },
  parameters: ParameterSet,
  settings: Omit<TrainingSettings, 'recompute'> & { length: number; recompute: boolean },
): Graphs {
  const { length, recompute, dropout: probability } = settings;
  const scale = loraScale(settings);
  const dropout =
    probability > 0 ? new DropoutMasks(backend, { probability, most: 8 * base.decoder.layers }) : null;
  const adapters = (mask: DropoutMasks | null) =>
    settings.trained === 'adapters' ? new Lora(parameters, scale, mask?.of ?? null) : null;
  const model = (mask: DropoutMasks | null): Model => ({ ...base, adapters: adapters(mask) });
  const training = new SequenceGraph(backend, model(dropout), parameters, {
    ...{ length, backward: true, checkpoint: recompute },
  });
  const evaluation = new SequenceGraph(backend, model(null), parameters, {
    ...{ length, backward: false, checkpoint: false },
  });
  dropout?.allocate();
  return {
    ...{ training, evaluation, dropout, recompute },
    bytes: training.measure() + (settings.validation > 0 ? evaluation.measure() : 0) + (dropout?.bytes ?? 0),
    allocate(evaluates) {
      training.allocate();
      if (evaluates) evaluation.allocate();
    },
    [Symbol.dispose]() {
      for (const each of [training, evaluation, dropout]) each?.[Symbol.dispose]();
    },
  };
}

/** The longest sequences that would fit, as advice. */
function whatWouldFit(fits: (length: number) => boolean, length: number): string {
  for (let shorter = Math.floor(length / 2); shorter >= 32; shorter = Math.floor(shorter / 2)) {
    if (fits(shorter)) return `It would fit with --context ${shorter} --recompute always.`;
  }
  return smallerModel;
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
