import { z } from 'zod';
import { maxTokens, readDescribedJson } from '../described-file.ts';

const id = z
  .int()
  .min(0)
  .max(maxTokens - 1);
/** The same as a key of an object. */
const idKey = z
  .string()
  .refine((key) => /^\d{1,7}$/.test(key) && Number(key) < maxTokens, 'no number of a token');
/** A token that is only half of a character could not be written. */
const whole = z.string().refine((content) => content.isWellFormed(), 'no whole text');

/** A token's text, alone or among how it is to be matched. */
const named = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish()
  .catch(undefined);
const flag = z.boolean().nullish().catch(undefined);

export const specialNames = {
  bos_token: named,
  eos_token: named,
  unk_token: named,
  sep_token: named,
  pad_token: named,
  mask_token: named,
};

const addedSchema = z.looseObject({ content: whole, special: z.boolean().default(false) });

const tokenizerConfigSchema = z.looseObject({
  ...specialNames,
  added_tokens_decoder: z.record(idKey, addedSchema).nullish(),
  add_bos_token: flag,
  add_eos_token: flag,
  add_prefix_space: flag,
  tokenizer_class: z.string().nullish().catch(undefined),
  chat_template: z.unknown().optional(),
});
export type TokenizerConfig = z.output<typeof tokenizerConfigSchema>;

const tokenizerJsonSchema = z.looseObject({
  model: z.looseObject({
    type: z.string().nullish(),
    // Half a million entries: looked at one by one where they are used.
    vocab: z.unknown().optional(),
    merges: z.unknown().optional(),
    byte_fallback: z.boolean().nullish(),
    ignore_merges: z.boolean().nullish(),
    unk_token: z.string().nullish(),
  }),
  added_tokens: z.array(addedSchema.extend({ id })).nullish(),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(),
});
export type TokenizerJson = z.output<typeof tokenizerJsonSchema>;

const generationSchema = z.looseObject({
  eos_token_id: z
    .union([id.transform((only) => [only]), z.array(id)])
    .nullish()
    .catch(undefined),
});

/** What a folder says of its tokenizer besides the vocabulary itself. */
export interface TokenizerFacts {
  config: TokenizerConfig | null;
  json: TokenizerJson | null;
  /** special_tokens_map.json. */
  specials: Pick<TokenizerConfig, keyof typeof specialNames>;
  /** added_tokens.json: id by text. */
  added: Readonly<Record<string, number>>;
  /** Tokens that end a reply. */
  ends: readonly number[];
}

/** Errors: those of `readDescribedJson`. */
export async function readFacts(files: ReadonlyMap<string, string>): Promise<TokenizerFacts> {
  const read = async <Schema extends z.ZodType>(name: string, schema: Schema) => {
    const path = files.get(name);
    return path === undefined ? null : await readDescribedJson(path, schema);
  };
  const [config, json, specials, added, generation] = [
    await read('tokenizer_config.json', tokenizerConfigSchema),
    await read('tokenizer.json', tokenizerJsonSchema),
    await read('special_tokens_map.json', z.looseObject(specialNames)),
    await read('added_tokens.json', z.record(whole, id)),
    await read('generation_config.json', generationSchema),
  ];
  return { config, json, specials: specials ?? {}, added: added ?? {}, ends: generation?.eos_token_id ?? [] };
}

/** Every token that was added after the training, by id, in the order in which later words win. */
export function addedTokens(facts: TokenizerFacts): Map<number, { content: string; isSpecial: boolean }> {
  const found = new Map<number, { content: string; isSpecial: boolean }>();
  for (const [content, at] of Object.entries(facts.added)) found.set(at, { content, isSpecial: false });
  for (const { id: at, content, special } of facts.json?.added_tokens ?? []) {
    found.set(at, { content, isSpecial: special });
  }
  for (const [at, { content, special }] of Object.entries(facts.config?.added_tokens_decoder ?? {})) {
    found.set(Number(at), { content, isSpecial: special });
  }
  return found;
}
