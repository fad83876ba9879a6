import { fork } from 'node:child_process';
import type { EngineProcess } from './process.ts';

/** How long the last words may take after the exit. */
const drainMs = 500;

/** Forks an engine as a child of this Node process. Its messages are structured clones, as those of a utility process are. */
export function launchChildProcess(entryFile: string): EngineProcess {
  const child = fork(entryFile, [], {
    serialization: 'advanced',
    // What an engine prints is its log; only its last lines matter, should it die.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Main's own inspector port is taken.
    execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
  });
  const exit = Promise.withResolvers<[code: number | null, signal: NodeJS.Signals | null]>();
  // Once its stderr has been read to the end; whoever inherited that may hold it open.
  child.once('close', (code, signal) => exit.resolve([code, signal]));
  child.once('exit', (code, signal) => setTimeout(() => exit.resolve([code, signal]), drainMs).unref());
  let complaint = '';
  // A message may not reach one that is about to die, of which its exit tells; but one that never lived has no exit.
  child.on('error', (error) => {
    if (child.pid !== undefined) return;
    complaint = error.message;
    exit.resolve([null, null]);
  });
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: (listener) => child.on('message', listener),
    onStderr(listener) {
      child.stderr?.setEncoding('utf8').on('data', listener);
      void exit.promise.then(() => complaint && listener(complaint));
    },
    onExit: (listener) => void exit.promise.then((how) => listener(...how)),
    kill: (signal) => child.kill(signal),
  };
}
