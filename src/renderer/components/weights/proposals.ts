import type { WeightsItem, WeightsOperation } from '../../../shared/contract/index.ts';

export type OperationKind = WeightsOperation['kind'];

/** What an item is to an operation. `model`: one beside the base, such as what the base was trained to be. */
export const roles = ['base', 'model', 'delta', 'adapter', 'recipe', 'importance', 'text'] as const;
export type Role = (typeof roles)[number];

/** Something that is known for what it is. A text is no weights: importance can be computed from it. */
export interface Part {
  /** Of its item on the bench. */
  key: number;
  path: string;
  name: string;
  role: Role;
  layout: WeightsItem['layout'] | 'text';
  type: string | null;
  /** How much of it goes into a merge; null: as usual. */
  weight: number | null;
}

/** The roles that an item can be given, the likeliest first. */
export function rolesOf(kind: WeightsItem['kind'] | 'text'): readonly Role[] {
  switch (kind) {
    case 'model':
    case 'tensors':
      return ['base', 'model', 'delta'];
    case 'delta':
      return ['delta'];
    case 'adapter':
    case 'recipe':
    case 'importance':
    case 'text':
      return [kind];
  }
}

/** The role of an item that comes to others. Deltas of the old days look like models, and only their names tell. */
export function roleFor(kind: WeightsItem['kind'] | 'text', name: string, there: readonly Role[]): Role {
  const [likeliest = 'model'] = rolesOf(kind);
  if (likeliest !== 'base') return likeliest;
  if (/(^|[^a-z])(delta|diff)([^a-z]|$)/i.test(name) && !there.includes('delta')) return 'delta';
  return there.includes('base') ? 'model' : 'base';
}

const withRole = (parts: readonly Part[], role: Role) => parts.filter((part) => part.role === role);

/** What can be made of the parts, what makes most sense first. */
export function proposalsFor(parts: readonly Part[]): OperationKind[] {
  const [base] = withRole(parts, 'base');
  const has = (role: Role) => parts.some((part) => part.role === role);
  const others = withRole(parts, 'model').length;
  const only = parts.find(({ role }) => role === 'base' || role === 'model');
  const kinds: OperationKind[] = [];
  if (has('recipe')) kinds.push('recipe');
  if (base && withRole(parts, 'delta').length === 1) kinds.push('delta-apply');
  if (base && has('adapter')) kinds.push('adapter-merge');
  if (withRole(parts, 'adapter').length === 1) kinds.push('adapter-convert');
  if (kinds.length > 0 || has('delta') || !only) return kinds;
  if (withRole(parts, 'base').length + others > 1) {
    kinds.push('merge');
    if (base && others === 1) kinds.push('delta-make', 'adapter-extract');
    return kinds;
  }
  return only.layout === 'gguf' ? ['quantize', 'convert'] : ['convert'];
}

/** What is missing before anything can be done; null where nothing is. */
export function missingPart(parts: readonly Part[]): 'baseForDelta' | 'baseForAdapter' | 'model' | null {
  if (parts.length === 0) return null;
  const has = (role: Role) => parts.some((part) => part.role === role);
  if (has('base') || has('recipe')) return null;
  if (has('delta')) return 'baseForDelta';
  if (has('adapter')) return 'baseForAdapter';
  return proposalsFor(parts).length === 0 ? 'model' : null;
}
