import { parse } from 'yaml';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { printable, quoted } from '../formats/printable.ts';
import { checkRecipe } from './check-recipe.ts';
import { unknownMethod } from './recipe-from-arguments.ts';
import { recipeMethodNamed, type MergeParameters, type MergeRecipe, parametersSchema } from './recipe.ts';

/** A recipe is a page of text. More than this is something else, which would only take time to parse. */
const maxCharacters = 1_000_000;
/** As few as a person writes; a bomb of aliases that name aliases needs many more to be one. */
const maxAliases = 100;

const floatTypes = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const;
/** Deciding what is trimmed in 8 bits saves memory in mergekit and changes no number. */
const parameters = strict({ ...parametersSchema.shape, int8_mask: z.unknown().optional() });
const model = z.string().min(1);
const dtype = z.enum(['float32', 'float16', 'bfloat16'], {
  error: 'is none of float32, float16 and bfloat16',
});
const input = { model, parameters: parameters.nullish() };

const mergekitSchema = strict({
  name: z.string().nullish(),
  merge_method: z.string(),
  models: z.array(strict(input)).min(1).nullish(),
  slices: z
    .array(
      strict({
        sources: z.array(strict({ ...input, layer_range: z.tuple([z.int().min(0), z.int().min(0)]) })).min(1),
        base_model: model.nullish(),
        parameters: parameters.nullish(),
      }),
    )
    .min(1)
    .nullish(),
  base_model: model.nullish(),
  parameters: parameters.nullish(),
  dtype: dtype.nullish(),
  out_dtype: dtype.nullish(),
  tokenizer_source: z.string().nullish(),
  tokenizer: strict({ source: z.string().optional() }).nullish(),
  chat_template: z.string().nullish(),
});
type MergekitRecipe = z.infer<typeof mergekitSchema>;
type MergekitParameters = z.infer<typeof parameters>;

/**
 * Reads a recipe of mergekit, whose file `name` stands in errors. Seeds are not part of such a file; 0 is set. Errors:
 * `invalid-input`, for keys and methods that Puna does not know, too.
 */
export function readMergekitYaml(text: string, { name }: { name: string }): MergeRecipe {
  const where = `${printable(name)}: `;
  const read = mergekitSchema.safeParse(parseYaml(text, where));
  if (!read.success) throw invalid(where, read.error);
  const written = read.data;
  const method = recipeMethodNamed(written.merge_method);
  if (!method) throw unknownMethod(written.merge_method, where);
  checkTokenizer(written, where);
  const type = written.out_dtype ?? written.dtype;
  const recipe: MergeRecipe = {
    ...(written.name && { name: written.name }),
    method,
    ...(written.models && {
      models: written.models.map(({ model, parameters }) => ({ model, ...parametersIn(parameters) })),
    }),
    ...(written.slices && {
      slices: written.slices.map(({ sources, base_model: base, parameters }) => ({
        sources: sources.map(({ model, layer_range: layerRange, parameters }) => ({
          ...{ model, layerRange },
          ...parametersIn(parameters),
        })),
        ...(base && { base }),
        ...parametersIn(parameters),
      })),
    }),
    ...(written.base_model && { base: written.base_model }),
    parameters: parametersIn(written.parameters).parameters ?? {},
    ...(type && { type: floatTypes[type] }),
    seed: 0,
    notes: notesOn(written),
  };
  checkRecipe(recipe);
  return recipe;
}

function parseYaml(text: string, where: string): unknown {
  if (text.length > maxCharacters) throw new PunaError('invalid-input', `${where}is too long for a recipe.`);
  try {
    // mergekit reads YAML 1.1, where `yes` is true and `<<` merges.
    return parse(text, { version: '1.1', maxAliasCount: maxAliases, logLevel: 'error' });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PunaError(
      'invalid-input',
      `${where}is not YAML: ${printable(reason.split('\n')[0] ?? '').replace(/[.:]*$/, '')}.`,
      'Correct the recipe.',
      { cause: thrown },
    );
  }
}

/** A mapping whose unknown keys are an error that names those that there are. */
function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has ${issue.keys.map(quoted).join(', ')}, which Puna does not know there. Known: ${Object.keys(shape).join(', ')}`
        : 'is not a mapping of keys to values',
  });
}

function invalid(where: string, { issues: [issue] }: z.ZodError): PunaError {
  const path = (issue?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const place = path.join('').replace(/^\./, '') || 'the recipe';
  // Those of this file go on from the place; those of zod itself are sentences of their own.
  const message = issue?.message ?? '';
  const own = /^(is|has) /.test(message);
  const sentence = `${where}${place}${own ? ' ' : ' is not as it should be: '}${message}.`;
  return new PunaError('invalid-input', sentence, 'Correct the recipe.');
}

/** Tokens of models are not aligned: the result has the tokens of its base, and so must all models. */
function checkTokenizer(written: MergekitRecipe, where: string): void {
  const { tokenizer, base_model: base } = written;
  // What mergekit takes for a tokenizer without a source.
  const source = written.tokenizer_source ?? (tokenizer ? (tokenizer.source ?? 'union') : 'base');
  if (source === 'base' || source === base) return;
  throw new PunaError(
    'invalid-input',
    `${where}the tokenizer is to come from ${quoted(source)}, but Puna merges models of one vocabulary only.`,
    'Leave tokenizer_source and tokenizer out, or set base.',
  );
}

function notesOn(written: MergekitRecipe): string[] {
  const scopes = [
    written.parameters,
    ...(written.models ?? []).map(({ parameters }) => parameters),
    ...(written.slices ?? []).flatMap(({ parameters, sources }) => [
      parameters,
      ...sources.map(({ parameters }) => parameters),
    ]),
  ];
  return [
    ...(scopes.some((scope) => scope && 'int8_mask' in scope)
      ? ['"int8_mask" is ignored: it only saves memory in mergekit.']
      : []),
    ...(written.chat_template
      ? ['"chat_template" is ignored: the merged model keeps the chat template of its base.']
      : []),
  ];
}

function parametersIn(written: MergekitParameters | null | undefined): { parameters?: MergeParameters } {
  if (!written) return {};
  const parameters = { ...written };
  delete parameters.int8_mask;
  return { parameters };
}
