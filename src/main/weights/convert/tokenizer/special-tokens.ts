import { z } from 'zod';
import { bool, type GgufEntry, uint32 } from '../gguf-entries.ts';
import { specialNames, type TokenizerFacts } from './files.ts';
import {
  type SpecialIds,
  specialKeys,
  type SpecialKind,
  type Token,
  tokenTypes,
  type Vocabulary,
} from './vocabulary.ts';

interface Marked {
  vocabulary: Vocabulary;
  tokens: readonly Token[];
  facts: TokenizerFacts;
  /** config.json. */
  raw: Readonly<Record<string, unknown>>;
}

/**
 * Which tokens begin, end and pad, and whether a text is marked with them. The tokenizer's own files are asked first, then
 * config.json, then the tokenizer itself.
 */
export function specialEntries({ vocabulary, tokens, facts, raw }: Marked): GgufEntry[] {
  const template = templateOf(facts.json?.post_processor);
  const names = namedTokens(facts, template);
  const byText = new Map(tokens.map(({ text }, id) => [text, id]));
  const inConfig = configIds(raw, tokens);
  const ids: SpecialIds = {};
  for (const kind of Object.keys(specialKeys) as SpecialKind[]) {
    const name = names[kind];
    const id = (name ? byText.get(name) : undefined) ?? inConfig[kind] ?? vocabulary.specialIds[kind];
    if (id !== undefined && id >= 0 && id < tokens.length) ids[kind] = id;
  }
  const end = ids.eot ?? endOfTurn(ids, facts, tokens);
  if (end !== undefined) ids.eot = end;
  const entries: GgufEntry[] = [];
  for (const [kind, key] of Object.entries(specialKeys)) {
    const id = ids[kind as SpecialKind];
    if (id !== undefined) entries.push([`tokenizer.ggml.${key}_token_id`, uint32(id)]);
  }
  const addBos =
    facts.config?.add_bos_token ?? (template.first ? template.first === names.bos : vocabulary.addBos);
  const addEos = facts.config?.add_eos_token ?? (template.last ? true : vocabulary.addEos);
  // llama.cpp does not load a model that marks with a token which it lacks.
  if (typeof addBos === 'boolean') {
    entries.push(['tokenizer.ggml.add_bos_token', bool(addBos && ids.bos !== undefined)]);
  }
  if (typeof addEos === 'boolean') {
    entries.push(['tokenizer.ggml.add_eos_token', bool(addEos && ids.eos !== undefined)]);
  }
  return entries;
}

type Names = Partial<Record<SpecialKind, string>>;
interface Template {
  first?: string | undefined;
  last?: string | undefined;
}

function namedTokens(facts: TokenizerFacts, template: Template): Names {
  const names: Names = {};
  for (const key of Object.keys(specialNames) as (keyof typeof specialNames)[]) {
    const name = facts.config?.[key] || facts.specials[key];
    if (name) names[key.replace('_token', '') as SpecialKind] = name;
  }
  if (template.first) names.bos ??= template.first;
  if (template.last && template.last !== names.eos) {
    // What the tokenizer puts behind a text ends it; what it called the end then ends a turn.
    if (names.eos) names.eot = names.eos;
    names.eos = template.last;
  }
  return names;
}

const processorSchema = z.looseObject({
  type: z.string().optional(),
  processors: z.array(z.unknown()).optional(),
  single: z.array(z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }).optional() })).optional(),
});

/** The tokens that tokenizer.json puts around a text. */
function templateOf(postProcessor: unknown): Template {
  const outer = processorSchema.safeParse(postProcessor).data;
  for (const candidate of outer?.processors ?? [outer]) {
    const { type, single = [] } = processorSchema.safeParse(candidate).data ?? {};
    if (type !== 'TemplateProcessing' || single.length < 2) continue;
    return { first: single[0]?.SpecialToken?.id, last: single.at(-1)?.SpecialToken?.id };
  }
  return {};
}

/** The numbers in config.json, unless they are those of early conversions of LLaMA, where the unknown token begins a text. */
function configIds(raw: Readonly<Record<string, unknown>>, tokens: readonly Token[]): SpecialIds {
  const ids: SpecialIds = {};
  for (const kind of Object.keys(specialKeys) as SpecialKind[]) {
    const id = raw[`${kind}_token_id`];
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0) ids[kind] = id;
  }
  const isFaulty = ids.bos !== undefined && tokens[ids.bos]?.text === '<unk>';
  return isFaulty ? {} : ids;
}

/** Ends of a turn that llama.cpp knows by their texts. */
const knownEnds: ReadonlySet<string> = new Set([
  ...['<|eot_id|>', '<|im_end|>', '<|end|>', '<end_of_turn>', '<|endoftext|>', '<|end_of_text|>'],
  ...['<EOT>', '_<EOT>', '[EOT]', '<｜end▁of▁sentence｜>', '<end_of_utterance>'],
]);

/** A token that ends a reply besides the one that ends a text, where only generation_config.json tells. */
function endOfTurn(ids: SpecialIds, { ends }: TokenizerFacts, tokens: readonly Token[]): number | undefined {
  if (tokens.some(({ text }) => knownEnds.has(text))) return undefined;
  return ends.find((id) => id !== ids.eos && tokens[id]?.type === tokenTypes.control);
}
