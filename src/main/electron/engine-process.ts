import type { utilityProcess } from 'electron';
import { type LaunchEngine, lentForkVariable } from '../engine/index.ts';
import { lendFork } from './lend-fork.ts';

/**
 * Forks engines as utility processes (`utilityProcess.fork`, which is there once Electron is ready). The system's task
 * manager shows them under Puna, and they end with Electron's main process, in whatever way that ends.
 *
 * node-llama-cpp tries a binary in a child process before it loads it, and a utility process has `child_process.fork` alone
 * for that, which Electron turns into a plain Node: without the fuse `runAsNode` every binary would look broken. `lendsFork`: engines
 * get those processes of main instead, as in a packaged Puna, which has that fuse off.
 */
export function utilityProcessLauncher(
  fork: typeof utilityProcess.fork,
  { lendsFork = false } = {},
): LaunchEngine {
  return (entryFile) => {
    const child = fork(entryFile, [], {
      serviceName: 'Puna engine',
      // What an engine prints is its log; only its last lines matter, should it die.
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(lendsFork && { env: { ...process.env, [lentForkVariable]: '1' } }),
    });
    const isForkRequest = lendsFork ? lendFork(child, fork) : () => false;
    return {
      get pid() {
        return child.pid;
      },
      send: (message) => child.postMessage(message),
      onMessage: (listener) =>
        child.on('message', (message: unknown) => isForkRequest(message) || listener(message)),
      onStderr(listener) {
        child.stderr?.setEncoding('utf8').on('data', listener);
        // V8 gave up, mostly for want of memory. `exit` follows.
        child.on('error', (type, location) => listener(`${type}: ${location}\n`));
      },
      // Electron tells no signal apart: on POSIX, the status of a killed process is the signal's number.
      onExit: (listener) => child.once('exit', (code) => listener(code, null)),
      kill(signal) {
        // Electron's own `kill` asks, as SIGTERM does.
        if (signal === 'SIGTERM' || child.pid === undefined) child.kill();
        else killNow(child.pid);
      },
    };
  };
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended at this very moment.
  }
}
