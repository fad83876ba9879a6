import { resolve, sep } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { describeGguf, readConfig } from '../convert/index.ts';
import { type GgufMetadata, type GgufValue, listed, quoted } from '../formats/gguf.ts';
import { type Tensor, tensorTypes } from '../formats/tensor.ts';
import {
  ggufName,
  isNorm,
  rotatedHeads,
  type WeightsArchitecture,
  weightsArchitectures,
} from '../sources/architectures.ts';
import { headCounts } from '../sources/head-counts.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { elementwise, inMemory, renamed, rotaryRows } from '../tensors/views.ts';
import { checkTensors } from './expected-tensors.ts';

/** A source as GGUF has it: metadata and tensors, with the source's own name for each. */
export interface GgufModel {
  metadata: GgufMetadata;
  tensors: { tensor: Tensor; source: string }[];
  notes: readonly string[];
}

/**
 * Gives a source's tensors GGUF's names and order of rows, and describes them by metadata; `name` is what the model is called,
 * without it as its source is. Errors: `unsupported-model` (an architecture or tensors that GGUF has no names for),
 * `invalid-input` (nothing describes the model, or tensors are not as its description says), and those of `describeGguf`.
 */
export async function ggufModel(source: ModelSource, name?: string): Promise<GgufModel> {
  const { description, path } = source;
  if (!description) {
    throw new PunaError(
      'invalid-input',
      `${path} has tensors only, and nothing that says how they make a model.`,
      'Use the whole folder, with config.json and the tokenizer.',
    );
  }
  if (description.form === 'gguf') {
    const extra = description.extraTensors.map((tensor) => ({ tensor, source: tensor.name }));
    const tensors = source.architecture ? inGgufOrder(source, source.architecture) : asTheyAre(source);
    const named: [string, GgufValue][] =
      name === undefined ? [] : [['general.name', { type: 'string', value: name }]];
    return {
      metadata: new Map([...description.metadata, ...named]),
      ...{ tensors: [...extra, ...tensors], notes: [] },
    };
  }
  if (!source.architecture) {
    throw new PunaError(
      'unsupported-model',
      `${path} is of an architecture that Puna does not convert: ${quoted(String(description.config['model_type']))}.`,
      `It converts ${weightsArchitectures.flatMap(({ modelTypes }) => modelTypes).join(', ')}.`,
    );
  }
  checkTensors(source, readConfig(description.config, []), source.architecture);
  const { metadata, extraTensors, notes } = await describeGguf({
    // Where the configuration does not say how many tokens there are, the embedding does.
    config: { vocab_size: source.tensors.get('model.embed_tokens.weight')?.shape[0], ...description.config },
    files: description.files,
    name: name ?? titleOf(path),
  });
  const extra = extraTensors.map(({ name, shape, values }) => ({
    tensor: inMemory(name, tensorTypes.F32, shape, new Uint8Array(values.buffer)),
    source: name,
  }));
  return { metadata, tensors: [...extra, ...inGgufOrder(source, source.architecture)], notes };
}

/** What a folder says that its model is called: by its own name, or by that of the repository that it is a part of. */
function titleOf(path: string): string {
  const names = resolve(path).split(sep);
  const inCache =
    names.at(-2) === 'snapshots' ? /^models--.+?--(.+)$/.exec(names.at(-3) ?? '')?.[1] : undefined;
  // Meta's files lie there, beside those of Hugging Face.
  const own = names.at(-1) === 'original' ? names.at(-2) : names.at(-1);
  return inCache ?? (own || 'model');
}

function asTheyAre({ tensors }: ModelSource): GgufModel['tensors'] {
  return [...tensors.values()].map((tensor) => ({ tensor, source: tensor.name }));
}

function inGgufOrder(source: ModelSource, architecture: WeightsArchitecture): GgufModel['tensors'] {
  const heads = architecture.pairsRotary ? headCounts(source) : null;
  const unknown: string[] = [];
  const tensors = [...source.tensors].flatMap(([name, tensor]) => {
    const found = ggufName(architecture, name);
    if (found === undefined) {
      unknown.push(name);
      return [];
    }
    const rotated = heads ? rotatedHeads(name) : null;
    const ordered = rotated && heads ? rotaryRows(tensor, heads[rotated], 'pairs') : tensor;
    const stored =
      architecture.addsOneToNorms && isNorm(name)
        ? elementwise({ ...ordered, type: tensorTypes.F32 }, [ordered], ([weights]) =>
            weights.map((weight) => weight + 1),
          )
        : ordered;
    return [{ tensor: renamed(stored, found), source: name }];
  });
  if (unknown.length > 0) {
    throw new PunaError(
      'unsupported-model',
      `${source.path} has tensors that ${architecture.name} does not have: ${listed(unknown)}.`,
      'Check that the folder is complete and of one model.',
    );
  }
  return tensors;
}
