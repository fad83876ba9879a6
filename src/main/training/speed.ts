import { PunaError } from '../../shared/error.ts';
import { type ModelFile, weightsOf } from '../weights/model-file.ts';
import type { Backend } from '../ggml/index.ts';
import { pack, type Sequence } from './batches.ts';
import { fits, ownBytes } from './memory.ts';
import type { TrainingSettings } from './messages.ts';
import { type Decoder, Weights } from './models/index.ts';
import { ParameterSet } from './parameters.ts';
import { buildGraphs } from './run-graphs.ts';
import { trainedParameters } from './trained-parameters.ts';

/** Tokens of the first try: enough that the kernels work as they do on many. */
const firstTokens = 64;
/** How long one computation may take, and all that are timed, in milliseconds. */
const longestRun = 300;
const timeForAll = 500;
/** Times that are looked at: the middle one of a few says what a machine does that others use, too. */
const mostRuns = 5;

export interface SpeedOptions {
  settings: TrainingSettings;
  /** Tokens of a sequence. */
  length: number;
  recompute: boolean;
  /** Memory, in bytes. */
  free: number;
  signal: AbortSignal;
}

/**
 * Places of a sequence that are trained in a second, padding included; null where memory is too short to find out. It computes,
 * forward and backward, one layer of the model and as large a part of its head: what is 1 / layers of the whole, over zeros.
 * Takes about a second. Twelve times compared with runs of 1, 30 and 125 million numbers on two cores that
 * others kept busy, it was between 0.56 and 1.39 of their speed, in the middle 0.9.
 */
export async function measureSpeed(
  backend: Backend,
  file: ModelFile,
  decoder: Decoder,
  options: SpeedOptions,
): Promise<number | null> {
  const { length } = options;
  const slice = sliceOf(file, decoder);
  try {
    const first = Math.min(firstTokens, length);
    const tried = await timeOf(backend, slice, { ...options, tokens: first });
    if (tried === null) return null;
    // Longer ones are nearer to the truth, as far as there is time.
    const most = Math.floor((first * longestRun) / tried / firstTokens) * firstTokens;
    const tokens = Math.min(length, Math.max(first, most));
    const time = tokens === first ? tried : await timeOf(backend, slice, { ...options, tokens });
    if (time === null) return null;
    const whole = (time * decoder.layers * length * workOf(slice, length)) / (tokens * workOf(slice, tokens));
    return (1000 * length) / whole;
  } catch (thrown) {
    if (PunaError.from(thrown).code === 'out-of-memory') return null;
    throw thrown;
  }
}

interface Slice {
  file: ModelFile;
  decoder: Decoder;
}

/** A model of one layer, the middle one, with a vocabulary that is smaller by the number of layers. */
function sliceOf(file: ModelFile, decoder: Decoder): Slice {
  const { layers } = decoder;
  const middle = Math.floor(layers / 2);
  // In whole blocks, so that its copies are of the same type.
  const vocabulary = Math.min(decoder.vocabulary, 32 * Math.ceil(decoder.vocabulary / layers / 32));
  const tensors = file.tensors.flatMap((tensor) => {
    const { name, shape } = tensor;
    if (/^(token_embd|output)\.weight$/.test(name)) {
      return [{ ...tensor, shape: [shape[0] ?? 1, vocabulary] }];
    }
    if (!name.startsWith('blk.')) return [tensor];
    const own = `blk.${middle}.`;
    return name.startsWith(own) ? [{ ...tensor, name: `blk.0.${name.slice(own.length)}` }] : [];
  });
  const attention = decoder.attentionOf(middle);
  return {
    file: { ...file, tensors },
    decoder: { ...decoder, layers: 1, vocabulary, attentionOf: () => attention },
  };
}

/** Milliseconds of a computation of so many tokens; null where there is no memory for it. */
async function timeOf(
  backend: Backend,
  { file, decoder }: Slice,
  { settings, recompute, free, signal, tokens }: SpeedOptions & { tokens: number },
): Promise<number | null> {
  const weightsOptions = {
    transposed: (name: string) =>
      settings.trained === 'adapters' && file.tensors.some((each) => each.name === name),
    exact: settings.exact,
  };
  if (!fits(Weights.measure(backend, file, weightsOptions) + ownBytes, free)) return null;
  using weights = Weights.zero(backend, file, weightsOptions);
  const trained = trainedParameters(file, weights, settings);
  // The gradient passes through a layer's norm, and so through all of a layer that is not the first one.
  const norm = 'blk.0.attn_norm.weight';
  const value = weights.get(norm);
  const isThere = trained.some(({ name }) => name === norm) || value.type !== 'F32';
  const all = isThere ? trained : [...trained, { name: norm, shape: value.shape, value }];
  using parameters = new ParameterSet(backend, all);
  using graphs = buildGraphs(backend, { decoder, weights }, parameters, {
    ...{ settings, length: tokens, recompute, evaluates: false },
  });
  if (!fits(weights.bytes + ParameterSet.measure(all) + graphs.bytes + ownBytes, free)) return null;
  graphs.allocate();

  const sequence = someSequence(tokens, decoder.vocabulary);
  const run = async () => {
    signal.throwIfAborted();
    const begin = performance.now();
    graphs.dropout?.draw(settings.seed);
    await graphs.training.run(sequence);
    return performance.now() - begin;
  };
  // The first one also takes its memory.
  await run();
  const times: number[] = [];
  const end = performance.now() + timeForAll;
  while (times.length < mostRuns && (times.length === 0 || performance.now() < end)) times.push(await run());
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? null;
}

function someSequence(length: number, vocabulary: number): Sequence {
  const tokens = Array.from({ length }, (_, index) => index % vocabulary);
  const [sequence] = pack([{ tokens, learnt: tokens.map(() => true) }], length);
  if (!sequence) throw new Error('Nothing was packed.');
  return sequence;
}

/** What a token costs, in products, where so many see each other: matrices forward and backward, and three times its attention. */
function workOf({ file, decoder }: Slice, length: number): number {
  const hasHead = file.tensors.some(({ name }) => name === 'output.weight');
  const matrices = file.tensors.filter(
    ({ name, shape }) => shape.length === 2 && !(hasHead && name === 'token_embd.weight'),
  );
  const products = matrices.reduce((sum, tensor) => sum + weightsOf(tensor), 0);
  return 2 * products + 3 * (2 * decoder.heads * decoder.head * length);
}
