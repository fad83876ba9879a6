import type { WeightsOperation } from '../../../shared/contract/index.ts';
import type { MergeMethod } from '../../../shared/contract/weights-choices.ts';
import type { OperationKind, Part, Role } from './proposals.ts';

/** What a person can choose, for all operations together; each takes what it knows. */
export interface Options {
  /** Null: the one that is suggested. */
  name: string | null;
  form: 'gguf' | 'folder';
  /** Of the result's matrices; empty: as in the source. */
  type: string;
  method: MergeMethod;
  /** Where between two models, for slerp. */
  t: number;
  /** Share of the changes that is kept. */
  density: number;
  /** By which the sum of the changes is multiplied. */
  lambda: number;
  seed: number;
  rank: number;
  compress: boolean;
  anyBase: boolean;
  requantize: boolean;
}

export const usualOptions: Options = {
  ...{ name: null, form: 'gguf', type: '', method: 'linear' },
  ...{ t: 0.5, density: 0.5, lambda: 1, seed: 1 },
  ...{ rank: 16, compress: true, anyBase: false, requantize: false },
};

/** The usual choice where a model is quantized. */
export const usualQuantization = 'Q4_K_M';

/** Whether a type has fewer bits than models are trained in, so that quantizing once more adds up errors. */
export function isQuantized(type: string | null): boolean {
  return type !== null && !/^(F64|F32|F16|BF16)$/.test(type);
}

/** Merges that add what others changed of a base, instead of mixing weights. */
export const baseMethods: readonly MergeMethod[] = ['task', 'ties', 'dare', 'dare_ties'];
/** Of these, a share of the changes is dropped. */
export const sparseMethods: readonly MergeMethod[] = ['ties', 'dare', 'dare_ties'];
/** Of these, by chance. */
export const randomMethods: readonly MergeMethod[] = ['dare', 'dare_ties'];

/** Which merges the parts allow. */
export function methodsFor(parts: readonly Part[]): MergeMethod[] {
  const bases = parts.filter(({ role }) => role === 'base').length;
  const others = parts.filter(({ role }) => role === 'model').length;
  const methods: MergeMethod[] = ['linear'];
  if (bases + others === 2) methods.push('slerp');
  if (bases === 1 && others > 0) methods.push(...baseMethods);
  return methods;
}

/** The models that a merge mixes; for some methods the base is only what they are compared with. */
export function mergedParts(parts: readonly Part[], method: MergeMethod): Part[] {
  return parts.filter(({ role }) => role === 'model' || (role === 'base' && !baseMethods.includes(method)));
}

/** How much of a model goes into a merge where nobody said otherwise. */
export function usualWeight(method: MergeMethod, count: number): number {
  return method === 'linear' ? Math.round(100 / count) / 100 : 1;
}

/** The strength of an adapter where nobody said otherwise. */
export const usualScale = 1;

/** The name without what a file's ending, its type or the word delta say. */
function stem(name: string): string {
  return name.replace(/\.(gguf|safetensors|bin|pth|pt|ya?ml)(\.zst)?$/i, '');
}

function withoutType(name: string): string {
  return name.replace(/[-_. ]?(F32|F16|BF16|I?Q\d[\dA-Z_]*)$/i, '');
}

/** A name for the result that tells what it is. */
export function suggestedName(kind: OperationKind, parts: readonly Part[], options: Options): string {
  const named = (role: Role) => stem(parts.find((part) => part.role === role)?.name ?? '');
  const model = named('base') || named('model');
  const typed = (name: string) => (options.type === '' ? name : `${withoutType(name)}-${options.type}`);
  switch (kind) {
    case 'delta-apply':
      return typed(named('delta').replace(/[-_. ]?\b(delta|diff)\b/i, '') || model);
    case 'delta-make':
      return `${named('model')}-delta`;
    case 'merge':
      return typed(
        parts
          .filter(({ role }) => role === 'base' || role === 'model')
          .map(({ name }) => stem(name))
          .join('+'),
      );
    case 'recipe':
      return typed(named('recipe'));
    case 'adapter-merge':
      return typed(`${model}+${named('adapter')}`);
    case 'adapter-convert':
      return named('adapter');
    case 'adapter-extract':
      return `${named('model')}-lora`;
    case 'convert':
      return typed(model);
    case 'quantize':
      return `${withoutType(model)}-${options.type || usualQuantization}`;
  }
}

/**
 * Whether the result can be a Hugging Face folder as well as a GGUF file: where what gives it its configuration and tokenizer has
 * them as such folders do.
 */
export function canBeFolder(kind: OperationKind, parts: readonly Part[]): boolean {
  const noGguf = (...wanted: Role[]) =>
    parts.every(({ role, layout }) => layout !== 'gguf' || !wanted.includes(role));
  switch (kind) {
    case 'delta-apply':
      return noGguf('delta');
    case 'merge':
    case 'adapter-merge':
    case 'convert':
      return noGguf('base', 'model');
    case 'recipe':
      return true;
    default:
      return false;
  }
}

/** Whether the result is one GGUF file; otherwise it is a folder. */
export function isGguf(kind: OperationKind, parts: readonly Part[], { form }: Options): boolean {
  const layout = (role: Role) => parts.find((part) => part.role === role)?.layout;
  switch (kind) {
    case 'quantize':
    case 'adapter-extract':
      return true;
    case 'adapter-convert':
      return layout('adapter') !== 'gguf';
    case 'delta-make':
      return layout('model') === 'gguf';
    default:
      return form === 'gguf' || !canBeFolder(kind, parts);
  }
}

/** The operation on these parts; null where one is missing. Its result is named, and gets its place from the program. */
export function operationOf(
  kind: OperationKind,
  parts: readonly Part[],
  options: Options,
): WeightsOperation | null {
  const path = (role: Role) => parts.find((part) => part.role === role)?.path ?? null;
  const name = options.name?.trim() || suggestedName(kind, parts, options);
  const out = isGguf(kind, parts, options) ? `${name}.gguf` : name;
  const type = options.type || null;
  const { anyBase, compress, rank, requantize } = options;
  const base = path('base');
  const only = base ?? path('model');
  const [delta, target, recipe, adapter] = [path('delta'), path('model'), path('recipe'), path('adapter')];
  switch (kind) {
    case 'delta-apply':
      return base && delta ? { kind, base, delta, out, type, anyBase } : null;
    case 'delta-make':
      return base && target ? { kind, base, target, out, compress } : null;
    case 'merge':
      return { ...mergeOf(parts, options), out, type };
    case 'recipe':
      return recipe ? { kind, recipe, out, type } : null;
    case 'adapter-merge': {
      const adapters = parts.flatMap((part) =>
        part.role === 'adapter' ? [{ path: part.path, scale: part.weight ?? usualScale }] : [],
      );
      return base && adapter ? { kind, base, adapters, out, type, anyBase } : null;
    }
    case 'adapter-convert':
      return adapter ? { kind, adapter, base, out } : null;
    case 'adapter-extract':
      return base && target ? { kind, base, target, rank, out } : null;
    case 'convert':
      return only ? { kind, from: only, out, type } : null;
    case 'quantize':
      return only
        ? {
            ...{ kind, from: only, out, type: type ?? usualQuantization, requantize },
            ...{ importance: path('importance'), importanceText: path('text') },
          }
        : null;
  }
}

function mergeOf(parts: readonly Part[], { method, t, density, lambda, seed }: Options) {
  const needsBase = baseMethods.includes(method);
  const merged = mergedParts(parts, method);
  const usual = usualWeight(method, merged.length);
  return {
    kind: 'merge' as const,
    method,
    models: merged.map(({ path, weight }) => ({ path, weight: weight ?? usual })),
    base: needsBase ? (parts.find(({ role }) => role === 'base')?.path ?? null) : null,
    t: method === 'slerp' ? t : null,
    density: sparseMethods.includes(method) ? density : null,
    lambda: needsBase ? lambda : null,
    seed,
  };
}
