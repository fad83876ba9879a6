import { PunaError } from '../../../shared/error.ts';
import type { ModelConfig } from '../convert/index.ts';
import { listed, quoted } from '../formats/printable.ts';
import type { WeightsArchitecture } from '../sources/architectures.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { embeddingName, headName } from '../sources/tied-head.ts';

/**
 * Compares a model's tensors with what its configuration says of it. llama.cpp would find some of these faults when it loads
 * the file; others, as a head or biases that are missing, it would compute without. Errors: `invalid-input` that names tensors
 * which are missing or of another shape, `unsupported-model` for those that the architecture does not have.
 */
export function checkTensors(
  { path, tensors }: Pick<ModelSource, 'path' | 'tensors'>,
  model: ModelConfig,
  architecture: WeightsArchitecture,
): void {
  const rows = tensors.get(embeddingName)?.shape[0] ?? 0;
  const expected = expectedShapes(model, architecture, model.vocabularySize ?? rows);
  const missing = [...expected.keys()].filter(
    (name) => !tensors.has(name) && !(name === headName && model.tiesEmbeddings),
  );
  if (missing.length > 0) {
    throw new PunaError(
      'invalid-input',
      `${path} lacks ${missing.length} of the ${expected.size} tensors that its config.json tells of: ${listed(missing)}.`,
      'Check that all files of the model are there, and that config.json belongs to them.',
    );
  }
  const superfluous = [...tensors.keys()].filter((name) => !expected.has(name));
  if (superfluous.length > 0) {
    throw new PunaError(
      'unsupported-model',
      `${path} has tensors that a ${architecture.name} of ${model.layers} layers does not have: ${listed(superfluous)}.`,
      'Check that the folder is of one model, and that config.json belongs to it.',
    );
  }
  if (model.vocabularySize !== null && rows !== model.vocabularySize) {
    throw unlike(
      `config.json of ${path} counts ${model.vocabularySize} tokens, the embedding has ${rows} rows.`,
    );
  }
  for (const [name, shape] of expected) {
    const found = tensors.get(name)?.shape;
    if (!found || found.join() === shape.join()) continue;
    throw unlike(
      `${quoted(name)} in ${path} has the shape [${found.join(', ')}], where config.json asks for [${shape.join(', ')}].`,
    );
  }
}

/** Shapes of all tensors that such a model has, by their names. */
function expectedShapes(
  model: ModelConfig,
  { layer }: WeightsArchitecture,
  tokens: number,
): Map<string, readonly number[]> {
  const { embedding } = model;
  const shapes = new Map<string, readonly number[]>([[embeddingName, [tokens, embedding]]]);
  const parts = Object.entries(layer).map(([part, name]) => ({ part, name, shape: shapeOf(part, model) }));
  for (let index = 0; index < model.layers; index++) {
    for (const { part, name, shape } of parts) {
      shapes.set(`model.layers.${index}.${name}.weight`, shape);
      if (hasBias(part, model)) shapes.set(`model.layers.${index}.${name}.bias`, shape.slice(0, 1));
    }
  }
  shapes.set('model.norm.weight', [embedding]);
  shapes.set(headName, [tokens, embedding]);
  return shapes;
}

/** The shape of a part of a layer, by GGUF's name. */
function shapeOf(part: string, model: ModelConfig): readonly number[] {
  const { architecture, embedding, feedForward, heads, kvHeads, headLength } = model;
  const [queries, keys] = [heads * headLength, kvHeads * headLength];
  switch (part) {
    case 'attn_q':
      return [queries, embedding];
    case 'attn_k':
    case 'attn_v':
      return [keys, embedding];
    case 'attn_qkv':
      return [queries + 2 * keys, embedding];
    case 'attn_output':
      return [embedding, queries];
    case 'attn_q_norm':
    case 'attn_k_norm':
      return [headLength];
    case 'ffn_gate':
      return [feedForward, embedding];
    case 'ffn_up':
      // Phi keeps the gate above it.
      return [architecture === 'phi3' ? 2 * feedForward : feedForward, embedding];
    case 'ffn_down':
      return [embedding, feedForward];
    default:
      return [embedding];
  }
}

/** Where llama.cpp adds a bias that the model has; those at other places are refused as superfluous. */
function hasBias(part: string, { architecture, attentionBias, feedForwardBias }: ModelConfig): boolean {
  if (['attn_q', 'attn_k', 'attn_v'].includes(part)) return attentionBias;
  if (architecture !== 'llama') return false;
  if (part === 'attn_output') return attentionBias;
  return feedForwardBias && ['ffn_gate', 'ffn_up', 'ffn_down'].includes(part);
}

function unlike(sentence: string): PunaError {
  return new PunaError(
    'invalid-input',
    sentence,
    'Choose the folder in which config.json and weights belong together.',
  );
}
