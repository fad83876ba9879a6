import { PunaError } from '../../shared/error.ts';
import { quoted } from '../weights/formats/gguf.ts';

/**
 * Architectures (`general.architecture`) that the bundled llama.cpp v0.4.0 loads and that write text. The library itself
 * is asked about each of them in tests/integration/library-architectures.test.ts.
 */
export const chatArchitectures: readonly string[] = `
  afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bitnet bloom chameleon
  chatglm codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr
  deepseek32 deepseek4 dots1 dots3note dream ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon
  falcon-h1 gemma gemma2 gemma3 gemma3n gemma4 glm-dsa glm4 glm4moe gpt-oss gpt2 gptneox granite granite_swa
  granitehybrid granitemoe graniteswitch grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2
  jais jais2 jamba kimi-k3 kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama4 maincoder mamba
  mamba2 mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 mistral4 mpt muse-glimmer
  nanbeige nemotron nemotron_h nemotron_h_moe olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2
  phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next
  qwen3vl qwen3vlmoe qwen4exp refact rnd1 rwkv6 rwkv6qwen2 rwkv7 seed_oss smallthinker smollm3 stablelm
  starcoder starcoder2 step35 t5 talkie xverse
`
  .trim()
  .split(/\s+/);

const embedding = 'an embedding model, which turns text into numbers and cannot hold a conversation';
const speech = 'a speech model, which cannot hold a conversation';
const draft = 'a draft model, which only speeds up another one';
const projector = 'a projector, which lets another model see or hear';

/** What llama.cpp knows, too, but nobody can chat with. */
const otherArchitectures = new Map([
  ...[
    'bert',
    'modern-bert',
    'nomic-bert',
    'nomic-bert-moe',
    'neo-bert',
    'jina-bert-v2',
    'jina-bert-v3',
    'eurobert',
    'gemma-embedding',
    'llama-embed',
    't5encoder',
  ].map((name) => [name, embedding] as const),
  ...['wavtokenizer-dec', 'qwen3tts', 'pockettts'].map((name) => [name, speech] as const),
  ...['eagle3', 'dflash', 'gemma4-assistant'].map((name) => [name, draft] as const),
  ['clip', projector] as const,
]);

const chatSet = new Set(chatArchitectures);

/** Throws `unsupported-model`, with the reason, unless a model or adapter of this architecture can be chatted with. */
export function checkArchitecture(architecture: string | null, file: string): asserts architecture is string {
  if (architecture !== null && chatSet.has(architecture)) return;
  const remedy = 'Choose a model for chat, such as an instruct model.';
  if (architecture === null) {
    throw new PunaError('unsupported-model', `${file} does not say of what architecture it is.`, remedy);
  }
  const other = otherArchitectures.get(architecture);
  if (other) throw new PunaError('unsupported-model', `${file} is ${other} (${architecture}).`, remedy);
  throw new PunaError(
    'unsupported-model',
    `${file} has the architecture ${quoted(architecture)}, which this version of Puna does not know.`,
    'Update Puna, or choose another model.',
  );
}
