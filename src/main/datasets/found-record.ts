import { PunaError } from '../../shared/error.ts';

/** A value of a JSON file that should be an example, and where it stands, for errors: "line 3". */
export interface FoundRecord {
  value: unknown;
  where: string;
}

/** What cannot be read: why, as reports count it, and as a sentence, should nothing else be there. */
export interface BrokenRecord {
  reason: string;
  where: string;
  error: PunaError;
}

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function brokenJson(sentence: string, cause: unknown): PunaError {
  return new PunaError('invalid-input', sentence, 'Correct that line, or export the data again.', { cause });
}

/** Beside the messages of an example: what to call the place that it comes from, as Puna writes it for its own conversations. */
export const placeKey = 'puna:place';
