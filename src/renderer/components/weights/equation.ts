import type { WeightsOperation } from '../../../shared/contract/index.ts';
import type { MergeMethod } from '../../../shared/contract/weights-choices.ts';
import { scale } from '../../lib/figures.ts';
import { sparseMethods } from './operation.ts';
import { titleOf } from '../../lib/paths.ts';

/** What a result is made of, as a line to be read: `vicuna = llama + delta`. */
export interface Equation {
  result: string;
  /** `=` where it is just that, `≈` where something is lost, `←` where it is the same in another form. */
  relation: '=' | '≈' | '←';
  terms: { sign: '+' | '−' | null; factor: string | null; name: string }[];
}

type Term = Equation['terms'][number];

const randomOrDecided: readonly MergeMethod[] = ['slerp', ...sparseMethods];

/** By the names of the files and folders. */
export function equationOf(operation: WeightsOperation): Equation {
  const term = (path: string, sign: Term['sign'] = null, factor: string | null = null): Term => ({
    ...{ sign, factor, name: titleOf(path) },
  });
  const result = titleOf(operation.out);
  switch (operation.kind) {
    case 'delta-apply':
      return { result, relation: '=', terms: [term(operation.base), term(operation.delta, '+')] };
    case 'delta-make':
      return { result, relation: '=', terms: [term(operation.target), term(operation.base, '−')] };
    case 'adapter-extract':
      return { result, relation: '≈', terms: [term(operation.target), term(operation.base, '−')] };
    case 'merge': {
      const { base, method } = operation;
      const start = base === null ? [] : [term(base)];
      const models = operation.models.map(({ path, weight }, index): Term => {
        const name = base === null ? titleOf(path) : `(${titleOf(path)} − ${titleOf(base)})`;
        const factor = method === 'slerp' ? null : scale(weight);
        return { sign: index + start.length > 0 ? '+' : null, factor, name };
      });
      // What is drawn by chance, or decided by majority, is more than a sum.
      return { result, relation: randomOrDecided.includes(method) ? '≈' : '=', terms: [...start, ...models] };
    }
    case 'adapter-merge':
      return {
        ...{ result, relation: '=' },
        terms: [
          term(operation.base),
          ...operation.adapters.map(({ path, scale: by }) => term(path, '+', by === 1 ? null : scale(by))),
        ],
      };
    case 'recipe':
      return { result, relation: '←', terms: [term(operation.recipe)] };
    case 'adapter-convert':
      return { result, relation: '←', terms: [term(operation.adapter)] };
    case 'convert':
      return { result, relation: '←', terms: [term(operation.from)] };
    case 'quantize':
      return { result, relation: '≈', terms: [term(operation.from)] };
  }
}
