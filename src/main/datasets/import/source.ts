import { z } from 'zod';
import type { Draft } from '../draft.ts';
import type { JsonObject } from '../found-record.ts';

/** A way in which people write examples down. */
export interface Source {
  /** The keys that tell it from others; each list is one way to have them. */
  readonly keys: readonly string[][];
  /** The examples of an object that has the keys. Errors: `ZodError`. */
  read(record: JsonObject): Draft[];
}

export function source<Record>(
  keys: string[][],
  schema: z.ZodType<Record>,
  drafts: (record: Record) => Draft[],
): Source {
  return { keys, read: (record) => drafts(schema.parse(record)) };
}

/** A text that may be missing: tables that are exported as JSON have null in cells without a value. */
export const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
