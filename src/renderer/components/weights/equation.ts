import type { WeightsOperation } from '../../../shared/contract/index.ts';
import { scale } from '../../lib/figures.ts';
import { titleOf } from './paths.ts';

/** What a result is made of, as a line to be read: `vicuna = llama + delta`. */
export interface Equation {
  result: string;
  /** `=` where it is just that, `≈` where something is lost, `←` where it is the same in another form. */
  relation: '=' | '≈' | '←';
  terms: { sign: '+' | '−' | null; factor: string | null; name: string }[];
}

type Term = Equation['terms'][number];

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
      const base = operation.base === null ? [] : [term(operation.base)];
      const models = operation.models.map(({ path, weight }, index) =>
        term(path, index + base.length > 0 ? '+' : null, operation.method === 'slerp' ? null : scale(weight)),
      );
      return { result, relation: '=', terms: [...base, ...models] };
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
