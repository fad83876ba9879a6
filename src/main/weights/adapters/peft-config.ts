import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { damagedFile } from '../formats/damaged.ts';
import { quoted } from '../formats/gguf.ts';

/** `adapter_config.json` as far as Puna looks at it; the rest of it is kept. */
const peftConfigSchema = z.looseObject({
  peft_type: z.string(),
  base_model_name_or_path: z.string().nullish(),
  r: z.int().positive(),
  lora_alpha: z.number(),
  use_rslora: z.boolean().nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
});
export type PeftConfig = z.infer<typeof peftConfigSchema>;

/** Everything that would make of A and B something else than W + scale · B·A, as the end of a sentence. */
const unsupported: readonly [key: string, isUsed: (value: unknown) => boolean, what: string][] = [
  ['use_dora', Boolean, 'is a DoRA, which scales the weights besides'],
  ['bias', (value) => value !== 'none', 'has trained biases'],
  ['lora_bias', Boolean, 'has trained biases'],
  ['modules_to_save', isFilled, 'replaces whole parts of the model'],
  ['fan_in_fan_out', Boolean, 'is for weights that lie the other way round'],
  ['trainable_token_indices', isFilled, 'has trained single tokens'],
  ['target_parameters', isFilled, 'is for parameters that are no linear layers'],
  ['layer_replication', isFilled, 'repeats layers of the model'],
  ['alora_invocation_tokens', isFilled, 'begins to work at certain tokens only'],
  ['use_qalora', Boolean, 'groups the inputs of each layer'],
  ['use_bdlora', Boolean, 'has blocks of matrices'],
  ['arrow_config', Boolean, 'chooses among several adapters'],
  ['kasa_config', Boolean, 'scales what lies between A and B'],
  // PEFT takes what the adapter begins with out of the base when it loads it.
  [
    'init_lora_weights',
    (value) => typeof value === 'string' && /^(pissa|corda|olora|loftq|lora_ga)/i.test(value),
    'works only on a base that was changed for it',
  ],
];

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/**
 * Parses `adapter_config.json` and refuses what is not plainly a LoRA. `name` is what errors call it. Errors: `file-damaged`,
 * `unsupported-model`.
 */
export function parsePeftConfig(text: string, name: string): PeftConfig {
  const json = parsedObject(text, name);
  const kind = json['peft_type'];
  if (typeof kind === 'string' && kind !== 'LORA') {
    throw new PunaError(
      'unsupported-model',
      `${name} describes an adapter of the kind ${quoted(kind)}, and Puna works with LORA.`,
      mergeWithPeft,
    );
  }
  for (const [key, isUsed, what] of unsupported) {
    const value = json[key];
    if (value === undefined || value === null || !isUsed(value)) continue;
    const said = typeof value === 'object' ? key : `${key}: ${String(value)}`;
    throw new PunaError(
      'unsupported-model',
      `The adapter of ${name} ${what} (${quoted(said).slice(1, -1)}).`,
      mergeWithPeft,
    );
  }
  const { success, data, error } = peftConfigSchema.safeParse(json);
  if (success) return data;
  const wrong = error.issues.map(({ path }) => String(path[0])).join(', ');
  throw damagedFile(name, `it does not say its ${wrong} as PEFT does`);
}

export const mergeWithPeft = 'Merge it into its base with PEFT (merge_and_unload), and use the merged model.';

function parsedObject(text: string, name: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw damagedFile(name, 'it is no JSON object', cause);
  }
}

/** What B·A of a module is multiplied by, as PEFT's LoraLayer.update_layer computes it. `module`: without `.weight`. */
export function peftScale(config: PeftConfig, module: string, rank: number): number {
  const pattern = Object.entries(config.alpha_pattern ?? {}).find(([key]) => matchesPattern(key, module));
  const alpha = pattern?.[1] ?? config.lora_alpha;
  return config.use_rslora ? alpha / Math.sqrt(rank) : alpha / rank;
}

/** Longer patterns, or such with more repetitions, could keep a computer busy for ever; PEFT's own are names. */
const maxPatternLength = 256;
const maxRepetitions = 3;

/** PEFT's get_pattern_key: a regular expression for the end of the module's name, from a dot on. Errors: `unsupported-model`. */
function matchesPattern(pattern: string, module: string): boolean {
  const repetitions = pattern.match(/[*+{?]/g)?.length ?? 0;
  const isTame =
    pattern.length <= maxPatternLength && repetitions <= maxRepetitions && !/\)[*+{?]/.test(pattern);
  if (isTame) {
    try {
      return new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module);
    } catch {
      // No regular expression at all.
    }
  }
  throw new PunaError(
    'unsupported-model',
    `The adapter's alpha_pattern has ${quoted(pattern)}, which Puna cannot read.`,
    'Replace it in adapter_config.json by the names of the modules.',
  );
}
