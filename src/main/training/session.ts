import type { Llama } from 'node-llama-cpp';
import { peakMemoryBytes } from '../engine/peak-memory.ts';
import type { ModelFile } from '../weights/model-file.ts';
import { Backend, chooseDevice } from '../ggml/index.ts';
import { initialValues } from './lora.ts';
import { freeMemory, ownBytes, refuseIfTooLarge, takenMemory } from './memory.ts';
import type { TrainingEvent, TrainingPlan, TrainingSettings } from './messages.ts';
import { describeDecoder, Weights, type WeightsOptions } from './models/index.ts';
import { Optimizer } from './optimizer.ts';
import { type NewParameter, ParameterSet } from './parameters.ts';
import type { Plan } from './plan.ts';
import { buildGraphs, chosenGraphs, refuseUnfit, smallerModel } from './run-graphs.ts';
import { deviceName, trainingThreads } from './threads.ts';
import { needsTransposed, trainedParameters } from './trained-parameters.ts';
import type { Machinery } from './trainer.ts';

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

  /**
   * What it needs is counted before anything is taken; `estimate.ts` counts the same. Errors: `unsupported-model`,
   * `out-of-memory`, `invalid-input`, `cancelled`, and those of reading the file.
   */
  static async open(llamaCpp: Llama, file: ModelFile, plan: Plan, options: OpenOptions): Promise<Session> {
    const { settings, length } = plan;
    const decoder = describeDecoder(file);
    const { library, device } = chooseDevice(settings.device, llamaCpp.gpu || 'cpu');
    const threads = settings.threads ?? trainingThreads();
    // What is opened is closed again, whatever goes wrong from here on.
    using opened = new DisposableStack();
    const backend = opened.use(new Backend(library, device, { threads }));
    const before = takenMemory(device);
    const there = await freeMemory(llamaCpp, device);
    const free = Math.min(there, settings.memoryLimit ?? Infinity);
    const limited = free < there;

    const weights = opened.use(await loadWeights(backend, file, settings, { ...options, free, limited }));
    const trained = trainedParameters(file, weights, settings);
    const parameters = opened.use(new ParameterSet(backend, trained));
    if (settings.trained === 'adapters') initialize(backend, parameters, trained, settings.seed);

    const evaluates = plan.validation.length > 0;
    const otherBytes = weights.bytes + ParameterSet.measure(trained) + ownBytes;
    const build = (tokens: number, recompute: boolean) =>
      buildGraphs(backend, { decoder, weights }, parameters, {
        ...{ settings, length: tokens, recompute, evaluates },
      });
    const graphs = opened.use(chosenGraphs(build, length, { settings, otherBytes, free }));
    refuseUnfit(graphs, build, length, { otherBytes, free, limited, device: device.name });
    graphs.allocate();
    const optimizer = opened.use(new Optimizer(backend, parameters, settings));
    const { training, evaluation, dropout, recompute } = graphs;
    const parts = {
      parameters,
      machinery: { plan, optimizer, training, evaluation: evaluates ? evaluation : null, dropout },
      description: {
        device: deviceName(device, threads),
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

function loadWeights(
  backend: Backend,
  file: ModelFile,
  settings: TrainingSettings,
  { signal, emit, free, limited }: OpenOptions & { free: number; limited: boolean },
): Promise<Weights> {
  const options: WeightsOptions = {
    ...{ transposed: needsTransposed(settings), exact: settings.exact, signal },
    onProgress: (progress) => emit({ type: 'loading', progress }),
  };
  refuseIfTooLarge(Weights.measure(backend, file, options), free, {
    ...{ device: backend.device.name, limited },
    smaller: () => smallerModel,
  });
  return Weights.load(backend, file, options);
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

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
