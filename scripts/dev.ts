import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { noDesktop, noSandbox } from './desktop.ts';
import { electronProgram } from './electron-program.ts';

// Puna while it is being changed. In Electron, electron-vite reloads page and program; otherwise the build is watched, and
// the browser shell starts again when main changed (reload the page by hand).
//   npm run dev [-- [--browser] [--data DIR] [--port N] [--no-open]]

const root = dirname(import.meta.dirname);
const words = process.argv.slice(2).filter((word) => word !== '--browser');
const wantsBrowser = words.length < process.argv.length - 2;
const electronVite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');

const program = electronProgram(root);
const machine = { platform: process.platform, env: process.env, userId: process.getuid?.() };
const because = program
  ? (noDesktop(machine) ?? noSandbox(program, machine))
  : "Electron's program is not there";
if (!wantsBrowser && !because) {
  node(electronVite, 'dev', '--watch', '--', ...words);
} else {
  if (!wantsBrowser) console.error(`Puna opens in your browser: ${because}.`);
  // The last thing that a build writes tells that there is something to open.
  const page = join(root, 'out', 'renderer', 'index.html');
  rmSync(page, { force: true });
  node(electronVite, 'build', '--watch');
  while (!existsSync(page)) await pause(200);
  node('--watch-path=out/main', join('out', 'main', 'cli.js'), 'serve', ...words);
}

function node(...args: string[]): void {
  spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }).on('exit', (code) =>
    process.exit(code ?? 0),
  );
}
