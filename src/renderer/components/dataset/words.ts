import type { Dataset, DatasetCounts } from '../../../shared/contract/index.ts';
import { whole } from '../../lib/figures.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { en } from '../../messages/datasets/en.ts';

/** What a source is, in words. */
export function kindName(kind: string): string {
  return isKey(en.kinds, kind) ? t(`datasets.kinds.${kind}`) : kind;
}

/** What was left out while it was read, as the program counts it. */
export function leftOutName(reason: string): string {
  return isKey(en.found.leftOut, reason) ? t(`datasets.found.leftOut.${reason}`) : reason;
}

/** Why a cleaner has changed or dropped something: a kind, a limit, or a language. */
export function reasonName(reason: string): string {
  if (isKey(en.found.reasons, reason)) return t(`datasets.found.reasons.${reason}`);
  if (isKey(en.clean.personal, reason)) return t(`datasets.clean.personal.${reason}`);
  if (isKey(en.clean.boilerplateKinds, reason)) return t(`datasets.clean.boilerplateKinds.${reason}`);
  return languageName(reason);
}

/** A language by its code, in the language of the person. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(locale(), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** All that are in it, also those that are left out. */
export function allOf({ conversations, texts }: DatasetCounts): number {
  return conversations + texts;
}

export function learntOf(counts: DatasetCounts): number {
  return allOf(counts) - counts.excluded - counts.validation;
}

/** What a dataset holds, in a few words. */
export function contents({ counts }: Dataset): string[] {
  const { conversations, texts, excluded } = counts;
  if (conversations + texts === 0) return [t('datasets.list.empty')];
  const says = (key: 'conversations' | 'texts' | 'excluded', count: number) =>
    count === 0 ? [] : [t(`datasets.list.${key}`, { count, number: whole(count) })];
  return [...says('conversations', conversations), ...says('texts', texts), ...says('excluded', excluded)];
}

/** A model writes or has written it. */
export function isGrown({ recipe }: Dataset): boolean {
  return recipe.kind !== 'import';
}

/** Where it comes from: examples that a person writes, what people have, or a model. */
export function originOf({ recipe }: Dataset): 'own' | 'read' | 'grown' {
  if (recipe.kind !== 'import') return 'grown';
  return recipe.sources.length === 0 ? 'own' : 'read';
}

/** How it stands, in words. */
export function stateName(dataset: Dataset): string {
  const { state } = dataset;
  return t(`datasets.states.${state === 'working' && isGrown(dataset) ? 'growing' : state}`);
}

function isKey<Tree extends object>(tree: Tree, key: string): key is Extract<keyof Tree, string> {
  return Object.hasOwn(tree, key);
}
