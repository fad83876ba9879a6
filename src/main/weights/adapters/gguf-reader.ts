import { PunaError } from '../../../shared/error.ts';
import { trainedOn } from '../base-model.ts';
import { openFileSource } from '../formats/byte-source.ts';
import { damagedFile } from '../formats/damaged.ts';
import { metadataCount, metadataNumber, metadataString, quoted } from '../formats/gguf.ts';
import { listed } from '../formats/printable.ts';
import { type Tensor, tensorTypes } from '../formats/tensor.ts';
import { storedTensor } from '../formats/tensor-file.ts';
import { type ModelFile, readModelFile } from '../model-file.ts';
import {
  architectureNamed,
  huggingFaceName,
  rotatedHeads,
  type WeightsArchitecture,
} from '../sources/architectures.ts';
import { type HeadCounts, headCounts } from '../sources/head-counts.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { reshaped, rotaryRows } from '../tensors/views.ts';
import { type Adapter, embeddingName, largestRank, rankOf } from './adapter.ts';
import { type Half, pairHalves } from './pairs.ts';
import { parsePeftConfig } from './peft-config.ts';
import { transposed } from './transposed.ts';

/** Keys of an adapter's metadata (llama.cpp's `llm_kv`), and Puna's own for what PEFT said of it. */
export const adapterKeys = {
  type: 'adapter.type',
  alpha: 'adapter.lora.alpha',
  invocation: 'adapter.alora.invocation_tokens',
  baseCount: 'general.base_model.count',
  baseName: 'general.base_model.0.name',
  peftConfig: 'puna.peft.config',
} as const;

/**
 * Opens a LoRA adapter in GGUF. Where its rows of queries and keys have to be put in order, and it does not say itself how many
 * heads there are, the base does. Errors: those of `readModelFile`, `invalid-input` (a model, a base that is needed and not
 * given), `file-damaged`, `unsupported-model`.
 */
export async function openGgufAdapter(path: string, base: ModelSource | null): Promise<Adapter> {
  const file = await readModelFile(path);
  const architecture = checkedArchitecture(file);
  const { metadata } = file;
  const alpha = metadataNumber(metadata, adapterKeys.alpha) ?? 0;
  const config = metadataString(metadata, adapterKeys.peftConfig);
  await using opened = new AsyncDisposableStack();
  const { halves, notes } = sorted(await storedTensors(file, opened), file, architecture);
  const heads = headsOf(file, architecture, halves, base);
  const modules = new Map(
    [...pairHalves(halves, path)].map(([weight, { a, b }]) => {
      const rotated = architecture.pairsRotary ? rotatedHeads(weight) : null;
      const ordered = rotated && heads ? inHalves(b, heads[rotated], path) : b;
      // llama.cpp takes an alpha of 0 for none.
      return [weight, { a, b: ordered, scale: alpha === 0 ? 1 : alpha / rankOf({ a }) }];
    }),
  );
  const parsed = config === undefined ? null : parsePeftConfig(config, `${path} (${adapterKeys.peftConfig})`);
  const closing = opened.move();
  return {
    ...{ path, layout: 'gguf', architecture: architecture.name, modules, metadata, alpha, heads, notes },
    rank: largestRank(modules),
    config: parsed,
    rankStabilized: parsed?.use_rslora ?? false,
    baseName: metadataString(metadata, adapterKeys.baseName) ?? trainedOn(file)?.name ?? null,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function checkedArchitecture(file: ModelFile): WeightsArchitecture {
  const { path, kind, metadata } = file;
  if (kind !== 'adapter') {
    throw new PunaError('invalid-input', `${path} is no adapter.`, 'Choose the file of a LoRA adapter.');
  }
  const type = metadataString(metadata, adapterKeys.type);
  if (type !== 'lora') {
    throw new PunaError(
      'unsupported-model',
      `${path} is an adapter of the kind ${quoted(type ?? '')}, and Puna works with LoRA.`,
      'Look for a LoRA adapter.',
    );
  }
  if (metadata.has(adapterKeys.invocation)) {
    throw new PunaError(
      'unsupported-model',
      `${path} begins to work at certain tokens only (${adapterKeys.invocation}).`,
      'Use it in a chat, where llama.cpp sees to it.',
    );
  }
  const architecture = architectureNamed(file.architecture ?? '');
  if (architecture) return architecture;
  throw new PunaError(
    'unsupported-model',
    `${path} is an adapter for ${quoted(file.architecture ?? '')} models, whose weights Puna cannot name.`,
    'Use it in a chat, or look for the adapter in the form of PEFT.',
  );
}

async function storedTensors({ files }: ModelFile, opened: AsyncDisposableStack): Promise<Tensor[]> {
  const stored: Tensor[] = [];
  for (const { path, dataOffset, tensors } of files) {
    const source = opened.use(await openFileSource(path));
    for (const { name, type, shape, offset } of tensors) {
      const described = { name, type: tensorTypes[type.name], shape: shape.toReversed() };
      stored.push(storedTensor(described, { source, start: dataOffset + offset, fileName: path }));
    }
  }
  return stored;
}

/** Halves under Hugging Face's names; what else there is, llama.cpp passes over (norms) or refuses. */
function sorted(
  tensors: readonly Tensor[],
  { path }: ModelFile,
  architecture: WeightsArchitecture,
): { halves: Half[]; notes: string[] } {
  const [halves, norms, unknown]: [Half[], string[], string[]] = [[], [], []];
  for (const tensor of tensors) {
    const [, stored = '', half] = /^(.+)\.lora_([ab])$/.exec(tensor.name) ?? [];
    const weight = huggingFaceName(architecture, stored);
    if (half !== undefined && weight !== undefined) {
      halves.push(asHalf(weight, half === 'a' ? 'a' : 'b', tensor));
    } else if (/_norm\.weight$/.test(tensor.name)) {
      norms.push(tensor.name);
    } else {
      unknown.push(tensor.name);
    }
  }
  if (unknown.length > 0) {
    throw new PunaError(
      'unsupported-model',
      `${path} has tensors that are no part of a LoRA for ${architecture.name} models: ${listed(unknown)}.`,
      'Look for an adapter of linear layers only.',
    );
  }
  if (norms.length === 0) return { halves, notes: [] };
  return { halves, notes: [`Norms in the adapter are passed over, as llama.cpp does: ${listed(norms)}.`] };
}

function asHalf(weight: string, half: 'a' | 'b', tensor: Tensor): Half {
  const matrix = asMatrix(tensor);
  if (weight !== embeddingName) return { weight, half, tensor: matrix };
  // GGUF looks rows of the vocabulary up in its A [vocabulary, r], and multiplies them with its B [width, r].
  return half === 'a'
    ? { weight, half: 'b', tensor: matrix }
    : { weight, half: 'a', tensor: transposed(matrix) };
}

/** Files may leave out a rank of 1, which is the slowest dimension of A. */
function asMatrix(tensor: Tensor): Tensor {
  return tensor.shape.length === 1 ? reshaped(tensor, [1, ...tensor.shape]) : tensor;
}

function headsOf(
  { path, metadata }: ModelFile,
  architecture: WeightsArchitecture,
  halves: readonly Half[],
  base: ModelSource | null,
): HeadCounts | null {
  const query = metadataCount(metadata, `${architecture.name}.attention.head_count`);
  if (query) {
    const key = metadataCount(metadata, `${architecture.name}.attention.head_count_kv`) ?? query;
    return { query, key };
  }
  if (!architecture.pairsRotary || !halves.some(({ weight }) => rotatedHeads(weight))) return null;
  if (base) return headCounts(base);
  throw new PunaError(
    'invalid-input',
    `${path} does not say how many attention heads its model has, which decides the order of its rows.`,
    'Name the model that it is for, too (--base).',
  );
}

function inHalves(b: Tensor, heads: number, path: string): Tensor {
  const rows = b.shape[0] ?? 0;
  if (rows % (2 * heads) === 0) return rotaryRows(b, heads, 'halves');
  throw damagedFile(
    path,
    `${quoted(b.name)} has ${rows} rows, which ${heads} attention heads do not divide into pairs`,
  );
}
