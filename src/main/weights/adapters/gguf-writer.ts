import { PunaError } from '../../../shared/error.ts';
import { type ResumableOptions, writeResumably } from '../../storage/index.ts';
import {
  ggmlTypes,
  type GgmlTypeName,
  ggufHeader,
  type GgufMetadata,
  ggufPadding,
  type GgufValue,
  metadataNumber,
  quoted,
} from '../formats/gguf.ts';
import { listed } from '../formats/printable.ts';
import { bytesOf, type Tensor, tensorTypes, type TensorTypeName } from '../formats/tensor.ts';
import { bytesUnit, tensorUnit } from '../outputs/tensor-units.ts';
import {
  architectureNamed,
  ggufName,
  rotatedHeads,
  type WeightsArchitecture,
} from '../sources/architectures.ts';
import { type HeadCounts, headCounts } from '../sources/head-counts.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { elementwise, renamed, reshaped, retyped, rotaryRows } from '../tensors/views.ts';
import { type Adapter, embeddingName, headName, rankOf } from './adapter.ts';
import { checkAdapterFits } from './check-fit.ts';
import { adapterKeys } from './gguf-reader.ts';
import { mostCommon, nearly } from './scales.ts';
import { transposed } from './transposed.ts';

/** What a GGUF file of an adapter will be. */
export interface AdapterGguf {
  readonly metadata: GgufMetadata;
  /** Under GGUF's names, in its order of rows. */
  readonly tensors: readonly Tensor[];
  /** Of the whole file. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

/**
 * Says what `writeAdapterGguf` would write, without reading tensors. Numbers stay in their type where GGUF adapters can have it
 * (F32, F16, BF16), else they become F32. llama.cpp multiplies by alpha / r of each weight, so that one alpha must do for all: rank-stabilised
 * adapters get alpha · √r, and where ranks or alphas differ so that none does, the rest is multiplied into B, in F32.
 * Errors: `invalid-input` (a base that does not fit, or is needed and not given), `unsupported-model` (weights that GGUF has no
 * name for, or llama.cpp no place).
 */
export async function planAdapterGguf(adapter: Adapter, base: ModelSource | null): Promise<AdapterGguf> {
  if (base) await checkAdapterFits(base, adapter, { anyBase: true });
  const architecture = architectureFor(adapter, base);
  const heads = headsFor(adapter, base, architecture);
  refuseTied(adapter, base);
  const alpha = alphaFor(adapter);
  const names = ggufNames(adapter, architecture);
  const notes: string[] = [];
  const tensors = [...adapter.modules].flatMap(([weight, module]) => {
    const factor = alpha === 0 ? 1 : (module.scale * rankOf(module)) / alpha;
    const isFolded = !nearly(factor, 1);
    if (isFolded) notes.push(weight);
    const rotated = heads && architecture.pairsRotary ? rotatedHeads(weight) : null;
    const scaled = isFolded ? multiplied(storable(module.b), factor) : storable(module.b);
    const b = rotated && heads ? rotaryRows(scaled, heads[rotated], 'pairs') : scaled;
    return namedHalves(names.get(weight) ?? weight, weight, storable(module.a), b);
  });
  const metadata = metadataFor(adapter, { architecture, heads, alpha });
  return {
    ...{ metadata, tensors },
    bytes: tensors.reduce(
      (sum, tensor) => sum + paddedBytes(metadata, tensor),
      headerOf(metadata, tensors).byteLength,
    ),
    notes: [
      ...adapter.notes,
      ...(notes.length > 0
        ? [`GGUF has one alpha for all weights: the rest of it is multiplied into B of ${listed(notes)}.`]
        : []),
    ],
  };
}

/** Writes an adapter as llama.cpp loads it. Errors: those of `planAdapterGguf` and `writeResumably`. */
export async function writeAdapterGguf(
  adapter: Adapter,
  base: ModelSource | null,
  out: string,
  options: ResumableOptions,
): Promise<AdapterGguf> {
  const plan = await planAdapterGguf(adapter, base);
  const { metadata, tensors } = plan;
  await writeResumably(
    out,
    [
      bytesUnit(headerOf(metadata, tensors)),
      ...tensors.map((tensor) =>
        tensorUnit(tensor, {
          padding: ggufPadding(metadata, bytesOf(tensor)),
          ...{ name: tensor.name, after: undefined },
        }),
      ),
    ],
    options,
  );
  return plan;
}

function headerOf(metadata: GgufMetadata, tensors: readonly Tensor[]): Uint8Array {
  return ggufHeader({
    metadata,
    tensors: tensors.map(({ name, type, shape }) => ({
      ...{ name, type: ggmlNameOf(type.name), shape: shape.toReversed() },
    })),
  });
}

function paddedBytes(metadata: GgufMetadata, tensor: Tensor): number {
  const bytes = bytesOf(tensor);
  return bytes + ggufPadding(metadata, bytes).byteLength;
}

function ggmlNameOf(name: TensorTypeName): GgmlTypeName {
  // `storable` leaves no others.
  return Object.hasOwn(ggmlTypes, name) ? (name as GgmlTypeName) : 'F32';
}

function architectureFor(adapter: Adapter, base: ModelSource | null): WeightsArchitecture {
  const name = adapter.architecture ?? base?.architecture?.name;
  const architecture = name === undefined ? undefined : architectureNamed(name);
  if (architecture) return architecture;
  if (base || name !== undefined) {
    throw new PunaError(
      'unsupported-model',
      `${adapter.path} is for a model of an architecture whose GGUF names Puna does not know.`,
      'Use it with PEFT.',
    );
  }
  throw new PunaError(
    'invalid-input',
    `${adapter.path} does not say what kind of model it is for.`,
    'Name the model, too (--base).',
  );
}

function headsFor(
  adapter: Adapter,
  base: ModelSource | null,
  { pairsRotary }: WeightsArchitecture,
): HeadCounts | null {
  if (!pairsRotary || ![...adapter.modules.keys()].some(rotatedHeads)) return null;
  if (base) return headCounts(base);
  if (adapter.heads) return adapter.heads;
  throw new PunaError(
    'invalid-input',
    `${adapter.path} does not say how many attention heads its model has, which decides the order of its rows.`,
    'Name the model that it is for, too (--base).',
  );
}

/** llama.cpp has one tensor for both then, and would use the adapter for both, or find none. */
function refuseTied(adapter: Adapter, base: ModelSource | null): void {
  const tied = [embeddingName, headName].find((name) => adapter.modules.has(name));
  if (!tied || !base || base.tensors.has(headName)) return;
  throw new PunaError(
    'unsupported-model',
    `${adapter.path} changes ${quoted(tied)}, and llama.cpp cannot do that where embeddings and head are one.`,
    'Merge it into the model instead (puna adapter merge).',
  );
}

/** The alpha of the file that it was, or else the one that needs the fewest weights to be multiplied. */
function alphaFor({ modules, metadata }: Adapter): number {
  const said = metadataNumber(metadata, adapterKeys.alpha);
  if (said !== undefined) return said;
  // llama.cpp takes 0 for none.
  return Math.fround(mostCommon([...modules.values()].map((module) => module.scale * rankOf(module)))) || 1;
}

function ggufNames({ modules, path }: Adapter, architecture: WeightsArchitecture): Map<string, string> {
  const names = new Map<string, string>();
  const unknown: string[] = [];
  for (const weight of modules.keys()) {
    const name = ggufName(architecture, weight);
    if (name === undefined) unknown.push(weight);
    else names.set(weight, name);
  }
  if (unknown.length === 0) return names;
  throw new PunaError(
    'unsupported-model',
    `${path} changes weights that ${architecture.name} models in GGUF do not have: ${listed(unknown)}.`,
    'Check that the adapter and the model belong together.',
  );
}

const storableTypes: readonly TensorTypeName[] = ['F32', 'F16', 'BF16'];

function storable(tensor: Tensor): Tensor {
  const isStorable = storableTypes.includes(tensor.type.name) || tensor.type.blockSize > 1;
  return isStorable ? tensor : retyped(tensor, tensorTypes.F32);
}

function multiplied(tensor: Tensor, factor: number): Tensor {
  return elementwise({ ...tensor, type: tensorTypes.F32 }, [tensor], ([numbers]) =>
    numbers.map((number) => number * factor),
  );
}

function namedHalves(name: string, weight: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const [first, second] = weight === embeddingName ? [b, transposed(a)] : [a, b];
  return [trimmed(renamed(first, `${name}.lora_a`)), trimmed(renamed(second, `${name}.lora_b`))];
}

/** Without slow dimensions of one, as training writes it. */
function trimmed(tensor: Tensor): Tensor {
  const first = tensor.shape.findIndex((length) => length !== 1);
  return reshaped(tensor, first === -1 ? [1] : tensor.shape.slice(first));
}

function metadataFor(
  adapter: Adapter,
  {
    architecture,
    heads,
    alpha,
  }: { architecture: WeightsArchitecture; heads: HeadCounts | null; alpha: number },
): GgufMetadata {
  const { metadata, baseName, config } = adapter;
  if (metadata.has(adapterKeys.alpha)) return metadata;
  const text = (value: string): GgufValue => ({ type: 'string', value });
  const count = (value: number): GgufValue => ({ type: 'uint32', value });
  const prefix = `${architecture.name}.attention`;
  return new Map<string, GgufValue>([
    ['general.type', text('adapter')],
    ['general.architecture', text(architecture.name)],
    ['general.name', text(baseName === null ? 'Adapter' : `Adapter of ${baseName}`)],
    ...(baseName === null
      ? []
      : ([
          [adapterKeys.baseCount, count(1)],
          [adapterKeys.baseName, text(baseName)],
        ] as const)),
    [adapterKeys.type, text('lora')],
    [adapterKeys.alpha, { type: 'float32', value: alpha }],
    ...(heads === null
      ? []
      : ([
          [`${prefix}.head_count`, count(heads.query)],
          [`${prefix}.head_count_kv`, count(heads.key)],
        ] as const)),
    ...(config === null ? [] : ([[adapterKeys.peftConfig, text(JSON.stringify(config))]] as const)),
    ...metadata,
  ]);
}
