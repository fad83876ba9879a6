import { modelTypeOf } from './hugging-face-source.ts';
import type { ModelSource } from './model-source.ts';

export const embeddingName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';

/**
 * Whether a model's head is its embedding, so that it may leave the head's tensor out, or have it once more. GGUF has no word for it but
 * that the tensor is missing; Gemma's configurations say it only where it is not so.
 */
export function tiesHead({ description }: Pick<ModelSource, 'description'>): boolean {
  if (!description) return false;
  if (description.form === 'gguf') return true;
  const said = description.config['tie_word_embeddings'];
  return typeof said === 'boolean' ? said : modelTypeOf(description.config).startsWith('gemma');
}
