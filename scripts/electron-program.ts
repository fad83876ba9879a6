import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Enough for Electron's 120 MB over a usual line; where there is no way to its server, the installer says so at once. */
const fetchMilliseconds = 60_000;
/** A machine that cannot reach Electron's server should not wait for it at every start. */
const pauseMilliseconds = 24 * 3600 * 1000;

/** Electron's program of this checkout; null where its npm package has not fetched it. (Importing `electron` would fetch.) */
export function electronProgram(root: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const program = join(env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(folder, 'dist'), name);
  return existsSync(program) ? program : null;
}

/** Whether Electron's installer may be tried (again): it was not within the last day, or `npm ci` has run since. */
export function mayFetchElectron(root: string, now: number = Date.now()): boolean {
  const tried = triedFile(root);
  return !existsSync(tried) || now - statSync(tried).mtimeMs > pauseMilliseconds;
}

/** Runs Electron's own installer, within limits. */
export function fetchElectron(root: string): void {
  const tried = triedFile(root);
  mkdirSync(dirname(tried), { recursive: true });
  writeFileSync(tried, 'Delete this file to have "npm start" try to fetch Electron again.\n');
  spawnSync(process.execPath, [join(root, 'node_modules', 'electron', 'install.js')], {
    timeout: fetchMilliseconds,
    stdio: 'ignore',
  });
}

function triedFile(root: string): string {
  return join(root, 'node_modules', '.cache', 'puna', 'electron-fetch');
}
