import { PunaError } from '../../../shared/error.ts';
import type { ModelFile } from '../../weights/model-file.ts';
import type { Architecture, Decoder } from './decoder.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

const architectures: readonly Architecture[] = [llama, qwen2, qwen3, gemma3, phi3];

/**
 * The decoder that a model file holds. Errors: `unsupported-model` (an architecture that cannot be trained), `invalid-input`
 * (an adapter), `file-damaged` (metadata or tensors that must be there are not).
 */
export function describeDecoder(file: ModelFile): Decoder {
  if (file.kind === 'adapter') {
    throw new PunaError(
      'invalid-input',
      `${file.path} is an adapter.`,
      'Choose the model that it was made for; training makes a new adapter.',
    );
  }
  const architecture = architectures.find(({ name }) => name === file.architecture);
  if (!architecture || hasExperts(file)) {
    const found = hasExperts(file) ? `${file.architecture} with experts` : (file.architecture ?? 'unknown');
    throw new PunaError(
      'unsupported-model',
      `${file.path} has the architecture ${found}, which Puna cannot train yet.`,
      `It trains ${architectures.map(({ name }) => name).join(', ')}.`,
    );
  }
  const tensors = new Map(file.tensors.map((tensor) => [tensor.name, tensor]));
  const decoder = architecture.describe({ path: file.path, metadata: file.metadata, tensors });
  if (decoder.vocabulary === 0 || !tensors.has('output_norm.weight')) {
    throw new PunaError(
      'file-damaged',
      `${file.path} has no ${decoder.vocabulary === 0 ? 'token_embd.weight' : 'output_norm.weight'}.`,
      'Get the file again, or convert the model anew.',
    );
  }
  return decoder;
}

function hasExperts({ tensors }: ModelFile): boolean {
  return tensors.some(({ name }) => name.includes('_exps.'));
}
