import type { Database } from 'better-sqlite3';
import { z } from 'zod';

const pathsSchema = z.array(z.string());

/**
 * Tells of files in Puna's own folders whether a training run has written them: runs add what they have made themselves, when it is
 * whole, and take it away again. Beside the result are `-last` and copies for samples, which go by themselves.
 */
export function runFiles(database: Database): (path: string) => boolean {
  const rows = database
    .prepare<[], { adapter_path: string; earlier_paths: string }>(
      'SELECT adapter_path, earlier_paths FROM training_runs',
    )
    .all();
  const paths = new Set(
    rows.flatMap((row) => [row.adapter_path, ...pathsSchema.parse(JSON.parse(row.earlier_paths))]),
  );
  return (path) => {
    const result = path.replace(/(-last|\.sample-\d+)(?=\.gguf$)/, '');
    return paths.has(path) || paths.has(result);
  };
}

/** The model that runs have taught lies elsewhere now: they can go on, and be asked, as before. */
export function runsFollow(database: Database, { from, to }: { from: string; to: string }): void {
  database.prepare('UPDATE training_runs SET model_path = ? WHERE model_path = ?').run(to, from);
}
