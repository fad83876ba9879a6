import { InvalidArgumentError, Option } from 'commander';
import { resolve } from 'node:path';
import type { ColumnMapping } from '../datasets/index.ts';

/** A parser for whole numbers of an option; anything else is wrong usage. */
export function integer({ min, max }: { min: number; max: number }) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** A parser for numbers of an option. */
export function number({ min, max }: { min: number; max: number }) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** `FILE` or `FILE:SCALE`, collected from every time that the option is given. */
export function adapter(text: string, earlier: { path: string; scale: number }[] = []) {
  const scaled = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(text);
  const [path, scale] = scaled?.[1] ? [scaled[1], Number(scaled[2])] : [text, 1];
  return [...earlier, { path, scale }];
}

/** A parser for words separated by commas, each one of those that there are. */
export function list<Word extends string>(known: readonly Word[]) {
  return (text: string): Word[] => {
    const words = text.split(',').map((word) => word.trim());
    const chosen = known.filter((word) => words.includes(word));
    if (words.length > 0 && words.every((word) => (known as readonly string[]).includes(word))) return chosen;
    throw new InvalidArgumentError(`It must be some of ${known.join(', ')}, separated by commas.`);
  };
}

const mappedColumns = ['prompt', 'reply', 'system', 'text'] as const;

/** `prompt=NAME`, collected from every time that the option is given: which column of a table is what. */
export function column(text: string, earlier: ColumnMapping = {}): ColumnMapping {
  const at = text.indexOf('=');
  const [what, name] = [text.slice(0, at), text.slice(at + 1)];
  const known = mappedColumns.find((mapped) => mapped === what);
  if (at > 0 && known && name !== '') return { ...earlier, [known]: name };
  throw new InvalidArgumentError(
    `It must be one of ${mappedColumns.join(', ')}, then = and a column's name.`,
  );
}

/** Another folder than that of what comes with Puna, for those who build Puna. The library keeps whole paths only. */
export function resourcesOption(): Option {
  return new Option('--resources <dir>', 'another folder than that of what comes with Puna')
    .argParser((folder: string) => resolve(folder))
    .hideHelp();
}
