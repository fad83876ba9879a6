import type { Llama } from 'node-llama-cpp';
import { availableParallelism } from 'node:os';
import { PunaError } from '../../shared/error.ts';
import type { ModelFile } from '../weights/model-file.ts';
import { DropoutMasks } from './dropout.ts';
import { Backend, chooseDevice } from './ggml/index.ts';
import { adaptedMatrices, initialValues, Lora, loraParameters, loraScale } from './lora.ts';
import { refuseIfTooLarge } from './memory.ts';
import type { TrainingEvent, TrainingPlan, TrainingSettings } from './messages.ts';
import { type Decoder, describeDecoder, type Model, Weights, type WeightsOptions } from './models/index.ts';
import { Optimizer } from './optimizer.ts';
import { type NewParameter, ParameterSet } from './parameters.ts';
import type { Plan } from './plan.ts';
import { SequenceGraph } from './sequence-graph.ts';
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
  readonly description: Pick<
    TrainingPlan,
    'device' | 'threads' | 'parameters' | 'recompute' | 'estimatedBytes'
  >;
  readonly #backend: Backend;
  readonly #opened: Disposable[];
  readonly #freeBefore: number;

  private constructor(
    backend: Backend,
    parameters: ParameterSet,
    machinery: Machinery,
    description: Session['description'],
    opened: Disposable[],
    freeBefore: number,
  ) {
    this.#backend = backend;
    this.parameters = parameters;
    this.machinery = machinery;
    this.description = description;
    this.#opened = opened;
    this.#freeBefore = freeBefore;
  }

  /** Errors: `unsupported-model`, `out-of-memory`, `invalid-input`, `cancelled`, and those of reading the file. */
  static async open(
    llamaCpp: Llama,
    file: ModelFile,
    plan: Plan,
    { signal, emit }: OpenOptions,
  ): Promise<Session> {
    const { settings } = plan;
    const decoder = describeDecoder(file);
    const { library, device } = chooseDevice(settings.device, llamaCpp.gpu || 'cpu');
    const threads = settings.threads ?? trainingThreads();
    const opened: Disposable[] = [];
    const keep = <Opened extends Disposable>(each: Opened): Opened => (opened.push(each), each);
    try {
      const backend = keep(new Backend(library, device, { threads }));
      const used = device.isCpu ? process.memoryUsage().rss : 0;
      const freeNow = device.isCpu ? (await llamaCpp.getRamState()).free : device.freeMemory;
      const free = Math.min(freeNow, settings.memoryLimit ?? Infinity);
      const weightsOptions: WeightsOptions = {
        transposed: needsTransposed(settings),
        ...{
          exact: settings.exact,
          signal,
          onProgress: (progress: number) => emit({ type: 'loading', progress }),
        },
      };
      const weightBytes = Weights.measure(backend, file, weightsOptions);
      const limits = {
        device: device.name,
        smaller: () => 'Choose a smaller model, or a smaller quantization of it.',
      };
      refuseIfTooLarge(weightBytes, free, limits);

      const weights = keep(await Weights.load(backend, file, weightsOptions));
      const trained = trainedParameters(file, weights, settings);
      const parameters = keep(new ParameterSet(backend, trained));
      if (settings.trained === 'adapters') initialize(backend, parameters, trained, settings.seed);

      const build = (length: number, recompute: boolean) =>
        buildGraphs(backend, { decoder, weights }, parameters, { ...settings, length, recompute });
      const otherBytes = weightBytes + ParameterSet.measure(trained) + ownBytes;
      const needs = (graphs: Graphs) => otherBytes + graphs.bytes;
      let recompute = settings.recompute === 'always';
      let graphs = keep(build(plan.length, recompute));
      if (needs(graphs) > free && settings.recompute === 'auto') {
        recompute = true;
        graphs = keep(build(plan.length, recompute));
      }
      refuseIfTooLarge(needs(graphs), free, {
        device: device.name,
        smaller: () =>
          whatWouldFit((length) => {
            using smaller = build(length, true);
            return needs(smaller) <= free;
          }, plan.length),
      });
      graphs.allocate(plan.validation.length > 0);
      const optimizer = keep(new Optimizer(backend, parameters, settings));
      return new Session(
        ...([backend, parameters] as const),
        {
          plan,
          optimizer,
          training: graphs.training,
          evaluation: plan.validation.length > 0 ? graphs.evaluation : null,
          dropout: graphs.dropout,
        },
        {
          device: device.isCpu
            ? `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
            : device.description,
          ...{ threads, recompute, estimatedBytes: used + needs(graphs) },
          parameters: trained.reduce((sum, { shape }) => sum + countOf(shape), 0),
        },
        ...([opened, device.freeMemory] as const),
      );
    } catch (thrown) {
      disposeAll(opened);
      throw thrown;
    }
  }

  /** The most that this process has taken of the device's memory so far, in bytes. */
  peakMemory(): number {
    const { device, library } = this.#backend;
    if (device.isCpu) return process.resourceUsage().maxRSS * 1024;
    const free = new BigUint64Array(1);
    library.functions.ggml_backend_dev_memory(device.pointer, free, new BigUint64Array(1));
    return this.#freeBefore - Number(free[0]);
  }

  [Symbol.dispose](): void {
    disposeAll(this.#opened);
  }
}

function disposeAll(opened: Disposable[]): void {
  for (const each of opened.splice(0).reverse()) each[Symbol.dispose]();
}

/**
 * One less than there are cores: ggml's threads spin while they wait for each other, so that one thread too many, or one other
 * busy program, makes a step several times slower.
 */
function trainingThreads(): number {
  return Math.max(1, availableParallelism() - 1);
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
    ...{ training, evaluation, dropout },
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
  return 'Choose a smaller model, or a smaller quantization of it.';
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
