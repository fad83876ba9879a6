import { PunaError } from '../../shared/error.ts';
import type { ModelFile } from '../weights/model-file.ts';
import { adaptedMatrices, loraParameters } from './lora.ts';
import type { TrainingSettings } from './messages.ts';
import type { Weights } from './models/index.ts';
import type { NewParameter } from './parameters.ts';

/** Gradients pass through every frozen matrix but those of the first layer that read the embeddings, which are not trained. */
export function needsTransposed({ trained }: TrainingSettings): (name: string) => boolean {
  if (trained === 'all') return () => false;
  return (name) =>
    /^(blk\.\d+\.|output\.|token_embd\.)/.test(name) && !/^blk\.0\.attn_(q|k|v|qkv)\./.test(name);
}

/** What a run trains. Errors: `invalid-input` where the settings do not suit the model. */
export function trainedParameters(
  file: ModelFile,
  weights: Weights,
  settings: TrainingSettings,
): NewParameter[] {
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
