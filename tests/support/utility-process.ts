import type { UtilityProcess, utilityProcess } from 'electron';
import { fork as forkNode } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fakeEmitter } from './electron.ts';

/** Gives a Node process the port that Electron gives a utility process; loaded before its file. */
const portFile = fileURLToPath(new URL('./utility-port.ts', import.meta.url));

/** Forks as `utilityProcess.fork` does, with Node's processes, and keeps the names of the files. */
export function nodeAsUtilityProcess(): { fork: typeof utilityProcess.fork; forked: string[] } {
  const forked: string[] = [];
  const fork = (file: string, words: string[] = [], options: { env?: NodeJS.ProcessEnv } = {}) => {
    forked.push(file);
    const child = forkNode(file, words, {
      execArgv: ['--import', portFile],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      ...(options.env && { env: options.env }),
    });
    const { target } = fakeEmitter<UtilityProcess>({
      postMessage: (message: object) => child.connected && child.send(message),
      kill: () => child.kill('SIGKILL'),
    });
    child.on('message', (message) => target.emit('message', message));
    child.on('exit', (code) => target.emit('exit', code ?? 1));
    return target;
  };
  return { fork, forked };
}
