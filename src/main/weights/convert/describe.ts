import type { GgufValue } from '../formats/gguf.ts';
import { architectureEntries } from './architecture.ts';
import { readConfig } from './config.ts';
import { text } from './gguf-entries.ts';
import { describeRotation, type ExtraTensor } from './rotation.ts';
import { readTokenizer } from './tokenizer/index.ts';

export interface ModelDescription {
  /** What config.json holds. */
  config: unknown;
  /**
   * Paths of the folder's files by their plain names, as far as they exist: tokenizer.json, tokenizer.model,
   * tokenizer_config.json, special_tokens_map.json, added_tokens.json, vocab.json, merges.txt, chat_template.jinja,
   * chat_template.json, generation_config.json.
   */
  files: ReadonlyMap<string, string>;
  /** What people call the model. */
  name: string;
}

export interface DescribedGguf {
  /** Everything but `general.file_type` and `general.quantization_version`, which depend on what is written. */
  metadata: Map<string, GgufValue>;
  /** Tensors that no model folder has, because they follow from its configuration; shape as PyTorch has it. */
  extraTensors: ExtraTensor[];
  /** Sentences that a person should know. */
  notes: string[];
}

/**
 * GGUF's metadata for a Hugging Face model: the keys that llama.cpp's convert_hf_to_gguf.py writes, and where that leaves
 * a tokenizer's behaviour to chance, more. Errors: `unsupported-model` (an architecture, a rotation or a tokenizer that
 * cannot be converted), `invalid-input` (config.json lacks something, the tokenizer's files are missing, or it has more
 * tokens than the model), `file-damaged` (a file is not what its name says).
 */
export async function describeGguf({ config, files, name }: ModelDescription): Promise<DescribedGguf> {
  const notes: string[] = [];
  const model = readConfig(config, notes);
  const rotation = describeRotation(model, notes);
  const tokenizer = await readTokenizer({ files, model, notes });
  return {
    metadata: new Map([
      ['general.architecture', text(model.architecture)],
      ['general.type', text('model')],
      ['general.name', text(loadableName(name, tokenizer.tokens))],
      ...architectureEntries(model),
      ...rotation.entries,
      ...tokenizer.entries,
    ]),
    extraTensors: rotation.tensors,
    notes,
  };
}

const phi3Tokens = ['</s>', '<unk>', '<s>', '<|endoftext|>'];

/**
 * llama.cpp looks these tokens up in every model that has "phi-3" in its name, and fails to load one that lacks them:
 * Phi-4, or another model that was taught by Phi-3.
 */
function loadableName(name: string, tokens: ReadonlySet<string>): string {
  return phi3Tokens.every((token) => tokens.has(token)) ? name : name.replaceAll(/(phi)-?(?=3)/gi, '$1 ');
}
