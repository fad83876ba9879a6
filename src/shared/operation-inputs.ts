import type { Lineage, WeightsOperation } from './contract/index.ts';

/** What something was to what was made of it. */
export type OriginRole = NonNullable<Lineage['role']>;

export interface Input {
  role: OriginRole;
  path: string;
}

/** The files and folders that an operation reads, and what each is to it. */
export function inputsOf(operation: WeightsOperation): Input[] {
  const all = (entries: [OriginRole, string | null][]): Input[] =>
    entries.flatMap(([role, path]) => (path === null ? [] : [{ role, path }]));
  switch (operation.kind) {
    case 'delta-apply':
      return all([
        ['base', operation.base],
        ['delta', operation.delta],
      ]);
    case 'delta-make':
    case 'adapter-extract':
      return all([
        ['target', operation.target],
        ['base', operation.base],
      ]);
    case 'merge':
      return [
        ...all([['base', operation.base]]),
        ...operation.models.map(({ path }): Input => ({ role: 'model', path })),
      ];
    case 'recipe':
      return all([['recipe', operation.recipe]]);
    case 'adapter-merge':
      return [
        ...all([['base', operation.base]]),
        ...operation.adapters.map(({ path }): Input => ({ role: 'adapter', path })),
      ];
    case 'adapter-convert':
      return all([
        ['adapter', operation.adapter],
        ['base', operation.base],
      ]);
    case 'convert':
      return all([['model', operation.from]]);
    case 'quantize':
      return all([
        ['model', operation.from],
        ['importance', operation.importance],
        ['text', operation.importanceText],
      ]);
  }
}
