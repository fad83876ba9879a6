import { utilityProcess } from 'electron';
import type { EngineProcess } from '../engine/index.ts';

/** Forks an engine as one of Electron's utility processes. */
export function launchUtilityProcess(entryFile: string): EngineProcess {
  const child = utilityProcess.fork(entryFile, [], { stdio: ['ignore', 'ignore', 'pipe'], serviceName: 'Puna engine' });
  return {
    get pid() {
      return child.pid;
    },
    send: (message) => child.postMessage(message),
    onMessage: (listener) => child.on('message', listener),
    onStderr: (listener) => child.stderr?.on('data', (data: Buffer) => listener(data.toString())),
    onExit: (listener) => child.on('exit', (code) => listener(code, null)),
    kill: (signal) => {
      // A utility process can only be asked; what does not listen is killed as any process is.
      if (signal === 'SIGTERM' || child.pid === undefined) child.kill();
      else process.kill(child.pid, signal);
    },
  };
}
