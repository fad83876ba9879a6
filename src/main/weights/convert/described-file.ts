import { basename } from 'node:path';
import type { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { withFileSource } from '../formats/byte-source.ts';

/** Gemma's tokenizer.json, the largest one that is known, has 33 MB; more than this is no description of a model. */
const maxBytes = 256 * 2 ** 20;

/** Four times what the largest vocabularies have; each takes memory before any file proves that it is there. */
export const maxTokens = 2 ** 20;

/** A whole file of a model's description. Errors: those of `openFileSource`, `file-damaged` (too large to be one). */
export function readDescribed(path: string): Promise<Uint8Array> {
  return withFileSource(path, async (source) => {
    if (source.size > maxBytes)
      throw damaged(path, `has ${source.size} bytes, more than such a file can need`);
    const bytes = new Uint8Array(source.size);
    return bytes.subarray(0, await source.read(bytes, 0));
  });
}

/** The same as text. Errors: those of `readDescribed`, `file-damaged` (not UTF-8). */
export async function readDescribedText(path: string): Promise<string> {
  const bytes = await readDescribed(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw damaged(path, 'is not text in UTF-8', thrown);
  }
}

/** The same as JSON of this form. Errors: those of `readDescribedText`, `file-damaged` (no JSON, or another form). */
export async function readDescribedJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await readDescribedText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw damaged(path, 'is not JSON', thrown);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw damaged(path, firstIssue(parsed.error), parsed.error);
  return parsed.data;
}

/** A sentence's end on what is wrong with a value, naming where. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  const where = issue?.path.length ? ` at ${issue.path.map(String).join('.').slice(0, 80)}` : '';
  return `is not as expected${where}: ${issue?.message ?? 'unknown'}`;
}

export function damaged(path: string, what: string, cause?: unknown): PunaError {
  return new PunaError(
    'file-damaged',
    `${basename(path)} ${what}.`,
    'Download the file again, from where the model came from.',
    { cause },
  );
}
