import type { DataSource } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';

/** Says what a file, archive or folder is that examples are to be read from. */
export async function inspect(
  { path }: { path: string; dates: string | null },
  signal: AbortSignal,
): Promise<DataSource> {
  signal.throwIfAborted();
  throw new PunaError('internal', `${path} cannot be looked at yet.`);
}
