import { z } from 'zod';
import { PunaError } from '../../../../shared/error.ts';
import type { TokenizerJson } from './files.ts';

const stepSchema = z.looseObject({
  type: z.string(),
  pattern: z
    .looseObject({ Regex: z.string().nullish(), String: z.string().nullish() })
    .optional()
    .catch(undefined),
  behavior: z.string().optional().catch(undefined),
  use_regex: z.boolean().optional().catch(undefined),
  individual_digits: z.boolean().optional().catch(undefined),
  add_prefix_space: z.boolean().optional().catch(undefined),
  prepend: z.string().optional().catch(undefined),
  prepend_scheme: z.string().optional().catch(undefined),
});
export type Step = z.output<typeof stepSchema>;

/** Real ones have half a dozen. */
const maxSteps = 64;

/** The steps of a normalizer, a pre-tokenizer or a decoder of tokenizer.json, of sequences one after the other. Errors: `file-damaged`. */
export function stepsOf(description: unknown): Step[] {
  const steps: Step[] = [];
  const open: unknown[] = [description];
  while (open.length > 0) {
    const next = open.shift();
    if (next === null || next === undefined) continue;
    const parsed = stepSchema.safeParse(next);
    if (!parsed.success || steps.length + open.length > maxSteps) {
      throw new PunaError(
        'file-damaged',
        'tokenizer.json does not say in a known form how it takes texts apart.',
        'Download the file again, from where the model came from.',
      );
    }
    const inner: unknown = parsed.data.normalizers ?? parsed.data.pretokenizers ?? parsed.data.decoders;
    if (parsed.data.type === 'Sequence' && Array.isArray(inner))
      open.unshift(...inner.slice(0, maxSteps + 1));
    else steps.push(parsed.data);
  }
  return steps;
}

/** Whether bytes are written as letters, which is what llama.cpp's BPE expects. */
export function isByteLevel({ pre_tokenizer: pre, decoder }: TokenizerJson): boolean {
  const hasType = (description: unknown) => stepsOf(description).some(({ type }) => type === 'ByteLevel');
  return hasType(pre) || hasType(decoder);
}

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const words = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const signs = ' ?[^\\s\\p{L}\\p{N}]+';
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const cased = (behind: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${behind}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${behind}`;

const llama3 = `${contractions}|${words}|\\p{N}{1,3}|${signs}[\\r\\n]*|${spaces}`;
/** Qwen 2's and 3's. */
export const qwen2Pattern = `${contractions}|${words}|\\p{N}|${signs}[\\r\\n]*|${spaces}`;
const chinese = '[一-龥ࠀ-一가-퟿]+';

/**
 * What llama.cpp calls the ways in which texts are taken apart, by their steps in tokenizer.json. The converter recognises
 * them by the ids of a test text instead, which only works for tokenizers that it has met.
 */
const known: { steps: string[]; name: string }[] = [
  { name: 'qwen2', steps: [qwen2Pattern] },
  { name: 'gpt-2', steps: ['gpt-2'] },
  { name: 'smollm', steps: ['digits', 'gpt-2'] },
  { name: 'tekken', steps: [`${cased('')}|\\p{N}|${signs}[\\r\\n/]*|${spaces}`] },
  { name: 'gpt-4o', steps: [`${cased(`${contractions}?`)}|\\p{N}{1,3}|${signs}[\\r\\n/]*|${spaces}`] },
  {
    name: 'qwen35',
    steps: [
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`,
    ],
  },
  {
    name: 'seed-coder',
    steps: [`${contractions}|${words}|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+`],
  },
  { name: 'deepseek-coder', steps: ['[\r\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', chinese, 'digits'] },
  {
    name: 'deepseek-v3',
    steps: [
      '\\p{N}{1,3}',
      '[一-龥\u3040-ゟ゠-ヿ]+',
      '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+',
    ],
  },
];

/**
 * What `tokenizer.ggml.pre` is for this byte-level tokenizer; `default`, with a note, where llama.cpp has no such one that
 * is known here. Errors: those of `stepsOf`.
 */
export function preTokenizerName(json: TokenizerJson, notes: string[]): string {
  const steps = stepsOf(json.pre_tokenizer);
  if (steps.some((step) => step.type === 'ByteLevel' && step.add_prefix_space === true)) {
    notes.push(
      'The tokenizer thinks a space before each text, which llama.cpp does not for tokenizers of its kind.',
    );
  }
  const signature = steps.flatMap(signatureOf);
  const isThis = (candidate: readonly string[]) =>
    candidate.length === signature.length && candidate.every((step, index) => step === signature[index]);
  // The same pieces, but whole words that are tokens are taken before any merge.
  if (isThis([llama3])) return json.model.ignore_merges ? 'llama-bpe' : 'dbrx';
  const found = known.find((candidate) => isThis(candidate.steps));
  if (found) return found.name;
  notes.push(
    'How the tokenizer takes texts apart before it looks for tokens is not among the ways that are known; the usual way is ' +
      'taken, so that numbers and unusual words may be read differently.',
  );
  return 'default';
}

function signatureOf(step: Step): string[] {
  switch (step.type) {
    case 'Split':
      return [step.pattern?.Regex ?? `"${step.pattern?.String ?? ''}"`];
    case 'Digits':
      return [step.individual_digits ? 'digits' : 'runs of digits'];
    case 'ByteLevel':
      // Its own expression is that of GPT-2; without, it only writes bytes as letters.
      return step.use_regex === false ? [] : ['gpt-2'];
    default:
      return [step.type];
  }
}
