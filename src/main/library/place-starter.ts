import type { Database } from 'better-sqlite3';
import { realpath, stat } from 'node:fs/promises';
import { readModelFacts } from '../weights/model-facts.ts';
import type { ModelRow } from './model-row.ts';
import { putModel } from './put-model.ts';
import { runsFollow } from './run-files.ts';
import { usable } from './usable.ts';

/** What it is called until a person calls it otherwise. */
const starterName = 'Puna Starter';

/** A row of its own in the table `settings`: its path, by which others are left out, is another one with each way to install Puna. */
const takenOff = 'starterTakenOff';

/**
 * Puts the model that comes with Puna into the table `models`, where a person has not taken it off the list. It has one line, which goes
 * along when the file lies elsewhere, such as with each start of an AppImage, and when an update has replaced it. Gives whether
 * anything has changed. Errors: those of `readModelFacts`, `unsupported-model`, and those of the system.
 */
export async function placeStarter(
  database: Database,
  path: string,
  { now = Date.now }: { now?: () => number } = {},
): Promise<boolean> {
  const row = database
    .prepare<[], ModelRow>(`SELECT * FROM models WHERE origin = 'starter' ORDER BY id`)
    .get();
  if (!row && isTakenOff(database)) return false;
  const [{ size, mtimeMs }, realPath] = await Promise.all([stat(path), realpath(path)]);
  const isSame = row?.file_bytes === size && row.modified_at === mtimeMs;
  if (isSame && row.path === path && row.real_path === realPath) return false;

  const facts = usable(await readModelFacts(path), path);
  database.transaction(() => {
    if (row && row.path !== path) {
      // A person may have added the file by hand; it is one model all the same.
      database.prepare('DELETE FROM models WHERE path = ?').run(path);
      database.prepare('UPDATE models SET path = ? WHERE id = ?').run(path, row.id);
      runsFollow(database, { from: row.path, to: path });
    }
    putModel(database, {
      ...{ ...facts, kind: 'model', name: starterName, origin: 'starter', foundIn: null },
      ...{ path, realPath, fileBytes: size, modifiedAt: mtimeMs, addedAt: now() },
    });
  })();
  return true;
}

/** Remembers that a person has taken it off the list. */
export function dismissStarter(database: Database): void {
  database.prepare(`INSERT OR REPLACE INTO settings (key, value) VALUES (?, 'true')`).run(takenOff);
}

/** Forgets that a person has taken it off the list. */
export function welcomeStarter(database: Database): void {
  database.prepare('DELETE FROM settings WHERE key = ?').run(takenOff);
}

function isTakenOff(database: Database): boolean {
  return database.prepare('SELECT 1 FROM settings WHERE key = ?').get(takenOff) !== undefined;
}
