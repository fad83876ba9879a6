import { constants, setPriority } from 'node:os';
import { llama } from '../inference/llama.ts';
import { type ModelFile, readModelFile } from '../weights/model-file.ts';
import { Backend, chooseDevice } from '../ggml/index.ts';
import { fits, freeMemory, ownBytes, takenMemory } from './memory.ts';
import type { EstimateInput, EstimateResult, TrainingSettings } from './messages.ts';
import { type Decoder, describeDecoder, Weights } from './models/index.ts';
import { ParameterSet } from './parameters.ts';
import { buildGraphs, chosenGraphs } from './run-graphs.ts';
import { measureSpeed } from './speed.ts';
import { deviceName, trainingThreads } from './threads.ts';
import { needsTransposed, trainedParameters } from './trained-parameters.ts';

/** What a process that has read its data takes more than one that has not: for samples, and for each token of the vocabulary. Measured. */
const samplesBytes = 20e6;
const vocabularyBytes = 800;

/** What this process took at first: a run has a process of its own, without what earlier estimates have left behind. */
let freshBytes: number | null = null;

/**
 * What a run would take. The bytes are counted as the run counts them, over the same graphs, of which none has memory yet; they
 * differ from its own estimate only by what data and vocabulary take. Errors: those of describing the model,
 * `unsupported-model`, `invalid-input`, `cancelled`.
 */
export async function estimateTraining(
  { model, settings, length, evaluates, freed = 0, speed }: EstimateInput,
  signal: AbortSignal,
): Promise<EstimateResult> {
  // As fast as a run beside which the machine stays usable, and as easy on whoever sits before it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const file = await readModelFile(model);
  const decoder = describeDecoder(file);
  const llamaCpp = await llama(settings.device === 'cpu' ? false : settings.device);
  const { library, device } = chooseDevice(settings.device, llamaCpp.gpu || 'cpu');
  const threads = settings.threads ?? trainingThreads();
  using backend = new Backend(library, device, { threads });
  const reading = samplesBytes + vocabularyBytes * decoder.vocabulary;
  freshBytes ??= takenMemory(device);
  const before = freshBytes + (device.isCpu ? reading : 0);
  const freeNow = await freeMemory(llamaCpp, device);
  const limit = settings.memoryLimit ?? Infinity;
  const free = Math.min(freeNow + freed, limit);

  const { needed, recompute } = measureBytes(backend, file, decoder, { settings, length, evaluates, free });
  signal.throwIfAborted();
  const tokensPerSecond = speed
    ? await measureSpeed(backend, file, decoder, {
        settings,
        length,
        recompute,
        free: Math.min(freeNow, limit),
        signal,
      })
    : null;
  return {
    ...{ bytes: before + needed, freeBytes: before + free, fits: fits(needed, free), recompute },
    ...{ device: deviceName(device, threads), tokensPerSecond },
  };
}

/** As `Session.open` counts them. */
function measureBytes(
  backend: Backend,
  file: ModelFile,
  decoder: Decoder,
  options: { settings: TrainingSettings; length: number; evaluates: boolean; free: number },
): { needed: number; recompute: boolean } {
  const { settings, length, evaluates, free } = options;
  const { exact } = settings;
  using weights = Weights.describe(backend, file, { transposed: needsTransposed(settings), exact });
  const trained = trainedParameters(file, weights, settings);
  using parameters = new ParameterSet(backend, trained, { described: true });
  const otherBytes = weights.bytes + ParameterSet.measure(trained) + ownBytes;
  const build = (tokens: number, recompute: boolean) =>
    buildGraphs(backend, { decoder, weights }, parameters, {
      ...{ settings, length: tokens, recompute, evaluates, described: true },
    });
  using graphs = chosenGraphs(build, length, { settings, otherBytes, free });
  return { needed: otherBytes + graphs.bytes, recompute: graphs.recompute };
}
