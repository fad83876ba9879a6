import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What the build is made from. */
const sources = ['src', 'resources', 'package.json', 'electron.vite.config.ts', 'svelte.config.js'];
/** Written last. */
const product = join('out', 'renderer', 'index.html');

/** Whether the build is missing or older than its sources. */
export function buildIsStale(root: string): boolean {
  const built = modified(join(root, product));
  return built === null || newest(root) > built;
}

/** Builds with electron-vite, telling little; false if it failed. */
export function build(root: string): boolean {
  const electronVite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const { status } = spawnSync(process.execPath, [electronVite, 'build', '--logLevel', 'warn'], {
    cwd: root,
    // What the build tells must not get into the lines of a shell that prints JSON.
    stdio: ['ignore', process.stderr, process.stderr],
  });
  return status === 0;
}

function newest(root: string): number {
  const files = sources.flatMap((source) => {
    const path = join(root, source);
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));
  });
  return Math.max(...files.map((file) => modified(file) ?? 0));
}

function modified(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}
