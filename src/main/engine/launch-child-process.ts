import { fork } from 'node:child_process';
import type { EngineProcess } from './process.ts';

/** Forks an engine as a child of this Node process. Its messages are structured clones, as those of a utility process are. */
export function launchChildProcess(entryFile: string): EngineProcess {
  const child = fork(entryFile, [], {
    serialization: 'advanced',
    // What an engine prints is its log; only its last lines matter, should it die.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Main's own inspector port is taken.
    execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
  });
  // It may die between two messages; its exit tells then.
  child.on('error', () => undefined);
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: (listener) => child.on('message', listener),
    onStderr: (listener) => child.stderr?.setEncoding('utf8').on('data', listener),
    onExit: (listener) => child.on('exit', listener),
    kill: (signal) => child.kill(signal),
  };
}
