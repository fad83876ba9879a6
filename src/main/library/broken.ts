import type { Database } from 'better-sqlite3';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { type Failure, failureSchema } from '../../shared/contract/index.ts';
import type { ErrorCode, PunaError } from '../../shared/error.ts';

/** With the file that it was found of. */
const keptSchema = failureSchema.extend({ bytes: z.number(), modifiedAt: z.number() });
type Kept = z.infer<typeof keptSchema>;

/** What is the file's own fault, and will be so again: not that memory was short, or that somebody stopped it. */
const lasting: readonly ErrorCode[] = ['not-gguf', 'file-damaged', 'unsupported-model'];

/** Keeps why the model at a path is of no use, if that is the fault of the file, which had this size and time then. Gives whether it is. */
export function keepBroken(
  database: Database,
  { path, bytes, modifiedAt }: { path: string; bytes: number; modifiedAt: number },
  { code, message, remedy }: PunaError,
): boolean {
  if (!lasting.includes(code)) return false;
  const kept: Kept = { code, message, remedy, bytes, modifiedAt };
  database.prepare('UPDATE models SET broken = ? WHERE path = ?').run(JSON.stringify(kept), path);
  return true;
}

/** Forgets what was kept. Gives whether there was something. */
export function forgetBroken(database: Database, path: string): boolean {
  return (
    database.prepare('UPDATE models SET broken = NULL WHERE path = ? AND broken IS NOT NULL').run(path)
      .changes > 0
  );
}

/** What was kept of a file, unless that has changed since. `json`: as in the table. */
export async function brokenOf(path: string, json: string | null): Promise<Failure | null> {
  if (json === null) return null;
  const { bytes, modifiedAt, ...failure } = keptSchema.parse(JSON.parse(json));
  const now = await stat(path).catch(() => null);
  return now?.size === bytes && now.mtimeMs === modifiedAt ? failure : null;
}
