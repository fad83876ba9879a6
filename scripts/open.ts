import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, buildIsStale } from './build.ts';
import { noDesktop, noSandbox } from './desktop.ts';
import { electronProgram, fetchElectron, mayFetchElectron } from './electron-program.ts';

// Opens Puna: in Electron's window, or where that cannot be, with one line of explanation, in the browser.
//   npm start [-- [--browser] [--data DIR] [--port N] [--no-open] [--json]]
// --browser asks for the browser; --port, --no-open and --json are the browser shell's.

const root = dirname(import.meta.dirname);
const words = process.argv.slice(2).filter((word) => word !== '--browser');
const wantsBrowser = words.length < process.argv.length - 2;

/** A program that lacks a system library or is denied its sandbox ends within moments. */
const startMilliseconds = 10_000;
/** The shell's and the linker's "cannot be run". */
const cannotRun = [126, 127];

if (buildIsStale(root)) {
  console.error('Building Puna …');
  if (!build(root)) process.exit(1);
}
if (wantsBrowser) await openBrowserShell();
else {
  const reason = await openElectron();
  if (reason) {
    console.error(`Puna opens in your browser: ${reason}.`);
    await openBrowserShell();
  }
}

/** Opens the window and stays until it is closed; or says why there can be none. */
async function openElectron(): Promise<string | null> {
  const { platform, env } = process;
  const headless = noDesktop({ platform, env, userId: process.getuid?.() });
  if (headless) return headless;
  if (!electronProgram(root) && mayFetchElectron(root)) {
    console.error("Fetching Electron's program (about 120 MB, once, for a minute at most) …");
    fetchElectron(root);
  }
  const program = electronProgram(root);
  if (!program) {
    return 'Electron\'s program is not there and could not be fetched ("npx install-electron" tries it again)';
  }
  return noSandbox(program, { platform }) ?? runElectron(program);
}

async function runElectron(program: string): Promise<string | null> {
  const env = { ...process.env };
  // Would make Electron a mere Node (set inside the terminals of some editors), or bend the one that it has.
  delete env['ELECTRON_RUN_AS_NODE'];
  delete env['NODE_OPTIONS'];
  const started = Date.now();
  const child = spawn(program, [root, ...words], { cwd: root, env, stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; this process stays until the window has closed.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'exit').catch((error: unknown) => [126, error])) as [
    number | null,
    unknown,
  ];
  const atOnce = Date.now() - started < startMilliseconds;
  if (atOnce && (cannotRun.includes(code ?? 0) || (signal && signal !== 'SIGTERM' && signal !== 'SIGINT'))) {
    return `Electron could not start (${String(signal ?? code)})`;
  }
  process.exitCode = code ?? 1;
  return null;
}

/** In this very process: it ends as the browser shell ends. */
async function openBrowserShell(): Promise<void> {
  const cli = join(root, 'out', 'main', 'cli.js');
  process.argv = [process.execPath, cli, 'serve', ...words];
  await import(pathToFileURL(cli).href);
}
