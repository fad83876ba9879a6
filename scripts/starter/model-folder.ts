import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planFolder, writeFolderPlan } from '../../src/main/weights/outputs/folder-output.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';
import { readGguf } from '../../src/main/weights/formats/gguf.ts';
import { chatTemplate } from '../../tests/support/tiny-vocabulary.ts';
import { sentencePieceModel, type Tokens } from './tokenizer-folder.ts';
import { shape } from './untrained.ts';

/** Writes a GGUF model of the starter's shape as a folder of Hugging Face, of which packed deltas can be made. */
export async function writeModelFolder(model: string, folder: string): Promise<void> {
  const vocabulary = await readVocabulary(model);
  const temporary = await mkdtemp(join(tmpdir(), 'puna-starter-'));
  try {
    await using source = await openModelSource(model);
    const files = new Map<string, string>();
    const contents = {
      'tokenizer.model': sentencePieceModel(vocabulary),
      'tokenizer_config.json': `${JSON.stringify(tokenizerConfig(), null, 2)}\n`,
    };
    for (const [name, content] of Object.entries(contents)) {
      files.set(name, join(temporary, name));
      await writeFile(join(temporary, name), content);
    }
    const description = { form: 'hugging-face', config: config(vocabulary), files } as const;
    const plan = planFolder({ ...source, description }, { type: null });
    await writeFolderPlan(plan, folder, {}, { signature: model });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The tokenizer of a GGUF model. Errors: it has none. */
async function readVocabulary(model: string): Promise<Tokens> {
  const { metadata } = await readGguf(model);
  const pieces = metadata.get('tokenizer.ggml.tokens');
  const types = metadata.get('tokenizer.ggml.token_type');
  if (pieces?.type !== 'array' || pieces.of !== 'string' || types?.type !== 'array' || types.of !== 'int32') {
    throw new Error(`${model} has no tokenizer.`);
  }
  return { pieces: pieces.value, types: [...types.value] };
}

function config({ pieces }: Tokens) {
  const { layers, embedding, heads, feedForward, contextLength } = shape;
  return {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama' },
    ...{ hidden_size: embedding, intermediate_size: feedForward, num_hidden_layers: layers },
    ...{ num_attention_heads: heads, num_key_value_heads: heads, vocab_size: pieces.length },
    ...{ max_position_embeddings: contextLength, rms_norm_eps: 1e-5, rope_theta: 10_000 },
    ...{ hidden_act: 'silu', tie_word_embeddings: false, bos_token_id: 1, eos_token_id: 2 },
  };
}

function tokenizerConfig() {
  return {
    ...{ tokenizer_class: 'LlamaTokenizer', add_bos_token: true, add_eos_token: false, legacy: false },
    ...{ add_prefix_space: false, bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' },
    chat_template: chatTemplate,
  };
}
