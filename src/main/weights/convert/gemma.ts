import { PunaError } from '../../../shared/error.ts';

/** llama.cpp takes every sixth layer of Gemma 3 to see everything, as it is in those of Google. */
const usualPattern = 6;

/**
 * Each how many layers of a Gemma 3 one sees everything; null where that is as llama.cpp takes it to be. Errors:
 * `unsupported-model` (no regular pattern).
 */
export function slidingPattern({
  sliding_window_pattern: pattern,
  layer_types: types,
}: {
  sliding_window_pattern?: number | null | undefined;
  layer_types?: string[] | null | undefined;
}): number | null {
  const found = pattern ?? (types ? types.indexOf('full_attention') + 1 : usualPattern);
  const isRegular = types?.every(
    (type, layer) => (type === 'full_attention') === ((layer + 1) % found === 0),
  );
  // Fewer layers than the pattern is long: none of them sees everything.
  if (found === 0 && types) return types.length >= usualPattern ? types.length + 1 : null;
  if (isRegular === false) {
    throw unsupported(
      'The layers of this Gemma that see everything follow no regular pattern, which GGUF has no place for.',
    );
  }
  return found === usualPattern ? null : found;
}

/** The number of layers by which llama.cpp knows the largest Gemma 3, which scales attention in a way of its own. */
const largestLayers = 62;

/** What llama.cpp assumes of how a Gemma 3 attends, since GGUF has no place for it. Errors: `unsupported-model`. */
export function checkGemmaAttention(
  model: {
    query_pre_attn_scalar?: number | null | undefined;
    attn_logit_softcapping?: number | null | undefined;
    use_bidirectional_attention?: boolean | null | undefined;
    num_hidden_layers: number;
    hidden_size: number;
  },
  { heads, headLength }: { heads: number; headLength: number },
): void {
  const assumed = model.num_hidden_layers === largestLayers ? model.hidden_size / heads : headLength;
  const scalar = model.query_pre_attn_scalar ?? assumed;
  if (scalar !== assumed) {
    throw unsupported(
      `This Gemma scales its attention by the root of ${scalar}; llama.cpp does so by that of ${assumed}.`,
    );
  }
  if (model.attn_logit_softcapping) {
    throw unsupported('This Gemma caps what its attention finds, which llama.cpp does not compute.');
  }
  if (model.use_bidirectional_attention) {
    throw unsupported('This Gemma looks ahead as well as back, as models that do not write do.');
  }
}

function unsupported(sentence: string): PunaError {
  return new PunaError('unsupported-model', sentence, 'It cannot be converted.');
}
