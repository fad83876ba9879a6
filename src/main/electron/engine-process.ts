import { type ForkOptions, utilityProcess, type UtilityProcess } from 'electron';
import type { EngineProcess } from '../engine/index.ts';

/** Forks as Electron does; a test gives a stand-in. */
export type Fork = (
  entryFile: string,
  args: string[],
  options: ForkOptions,
) => Pick<UtilityProcess, 'pid' | 'stderr' | 'on' | 'once' | 'postMessage' | 'kill'>;

/**
 * Forks an engine as a utility process, which the system's task manager shows under Puna and which ends with Electron's
 * main process, in whatever way that ends. Can only be called when Electron is ready.
 */
export function launchUtilityProcess(entryFile: string, fork: Fork = utilityProcess.fork): EngineProcess {
  const child = fork(entryFile, [], {
    serviceName: 'Puna engine',
    // What an engine prints is its log; only its last lines matter, should it die.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return {
    get pid() {
      return child.pid;
    },
    send: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onStderr: (listener) => child.stderr?.setEncoding('utf8').on('data', listener),
    // Electron tells no signal: on POSIX the status of a killed process is its number.
    onExit: (listener) => child.once('exit', (code) => listener(code, null)),
    kill(signal) {
      // Electron's own `kill` asks, as SIGTERM does.
      if (signal === 'SIGTERM' || child.pid === undefined) child.kill();
      else killNow(child.pid);
    },
  };
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended at this very moment.
  }
}
