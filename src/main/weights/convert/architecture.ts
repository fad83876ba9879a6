import type { ModelConfig } from './config.ts';
import { float32, type GgufEntry, uint32 } from './gguf-entries.ts';

/** The model's measures, under the keys that llama.cpp's converter writes for this architecture; without the rotation. */
export function architectureEntries(model: ModelConfig): GgufEntry[] {
  const { architecture, headLength, slidingWindow, slidingPattern, finalSoftcapping } = model;
  const entries: GgufEntry[] = [
    ['block_count', uint32(model.layers)],
    ['context_length', uint32(model.contextLength)],
    ['embedding_length', uint32(model.embedding)],
    ['feed_forward_length', uint32(model.feedForward)],
    ['attention.head_count', uint32(model.heads)],
    ['attention.head_count_kv', uint32(model.kvHeads)],
    ['attention.layer_norm_rms_epsilon', float32(model.epsilon)],
  ];
  if (model.writesHeadLength) {
    entries.push(
      ['attention.key_length', uint32(headLength)],
      ['attention.value_length', uint32(headLength)],
    );
  }
  if (architecture === 'llama' && model.vocabularySize !== null) {
    entries.push(['vocab_size', uint32(model.vocabularySize)]);
  }
  // Of Phi, too, where 0 tells Phi-4 from Phi-3.
  if (architecture === 'phi3') entries.push(['attention.sliding_window', uint32(slidingWindow ?? 0)]);
  if (architecture === 'gemma3' && slidingPattern !== 1) {
    entries.push(['attention.sliding_window', uint32(slidingWindow ?? gemmaWindow)]);
    if (slidingPattern !== null) entries.push(['attention.sliding_window_pattern', uint32(slidingPattern)]);
  }
  if (finalSoftcapping && architecture === 'gemma3') {
    entries.push(['final_logit_softcapping', float32(finalSoftcapping)]);
  }
  return entries.map(([key, value]) => [`${architecture}.${key}`, value]);
}

/** In tokens, where config.json does not say. */
const gemmaWindow = 4096;
