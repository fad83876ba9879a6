import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { printable, quoted } from '../../weights/formats/gguf.ts';
import type { Draft } from '../draft.ts';
import { isJsonObject, type JsonObject } from '../found-record.ts';
import { alpaca } from './alpaca.ts';
import { openai } from './openai.ts';
import { prompt } from './prompt.ts';
import { sharegpt } from './sharegpt.ts';
import { reasons } from './reasons.ts';
import type { Source } from './source.ts';
import { text } from './text.ts';

/** The first that fits is taken: many files have both messages and the prompt that they began with. */
const sources: Source[] = [openai, sharegpt, alpaca, prompt, text];

/** Keys that a sentence names: enough to know the object by. */
const maxNamedKeys = 8;

/** A value from which no example can be read. */
export class NotAnExample extends PunaError {
  /** As reports count it. */
  readonly reason: string;

  constructor(reason: string, sentence: string, remedy: string, options?: { cause: unknown }) {
    super('invalid-input', sentence, remedy, options);
    this.reason = reason;
  }
}

/** Whether examples can be read from an object, by its keys. */
export function isKnown(record: JsonObject): boolean {
  return sourceOf(record) !== undefined;
}

/** The examples of a value. Errors: `NotAnExample` (of no known kind, or not as its kind should be). */
export function draftsOf(value: unknown, where: string): Draft[] {
  if (!isJsonObject(value)) {
    const sentence = `${where}: this is ${nameOf(value)}, not an object.`;
    throw new NotAnExample(reasons.unknownKind, sentence, knownKinds);
  }
  const found = sourceOf(value);
  if (!found) throw unknownKind(value, where);
  try {
    return found.read(value);
  } catch (thrown) {
    if (!(thrown instanceof z.ZodError)) throw thrown;
    throw wrongShape(thrown, where);
  }
}

/** By keys that have values; a key without one decides when there is nothing else. */
function sourceOf(record: JsonObject): Source | undefined {
  const fits = (has: (key: string) => boolean) =>
    sources.find(({ keys }) => keys.some((set) => set.every(has)));
  return (
    fits((key) => Object.hasOwn(record, key) && record[key] !== null) ??
    fits((key) => Object.hasOwn(record, key))
  );
}

const knownKinds = `An object needs one of these sets of keys: ${sources
  .flatMap(({ keys }) => keys.map((set) => set.join(' and ')))
  .join('; ')}.`;

function unknownKind(record: JsonObject, where: string): NotAnExample {
  const keys = Object.keys(record);
  const named = keys.slice(0, maxNamedKeys).map(quoted).join(', ');
  const shown = keys.length > maxNamedKeys ? `${named}, …` : named;
  const has = keys.length === 0 ? 'without keys' : `with the keys ${shown}`;
  const sentence = `${where}: an object ${has} is of no known kind.`;
  return new NotAnExample(reasons.unknownKind, sentence, knownKinds);
}

function wrongShape(error: z.ZodError, where: string): NotAnExample {
  const [issue] = error.issues;
  const at = z.core.toDotPath(issue?.path ?? []);
  const sentence = `${where}: ${printable(at)} is not as it should be: ${printable(issue?.message ?? '')}.`;
  const remedy = 'Correct it, or export the data again.';
  return new NotAnExample(reasons.wrongRecord, sentence, remedy, { cause: error });
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : `a ${typeof value}`;
}
