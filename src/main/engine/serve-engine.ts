import { Worker } from 'node:worker_threads';
import { PunaError } from '../../shared/error.ts';
import { lentForkVariable, type ParentPort, useLentFork } from './lent-fork.ts';
import type { FromEngine, JobTable, ToEngine } from './messages.ts';

/** How an engine does its jobs. The signal is aborted when the job is cancelled. */
export type Handlers<Jobs extends JobTable> = {
  [Kind in keyof Jobs]: (
    input: Jobs[Kind]['input'],
    job: { signal: AbortSignal; emit: (event: Jobs[Kind]['event']) => void },
  ) => Promise<Jobs[Kind]['result']>;
};

const heartbeatMs = 1_000;

/** The end of an engine that talks to main. */
interface Port {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Electron's utility processes have a port of their own; a forked Node process speaks over its channel. */
function port(): Port {
  const { parentPort } = process as NodeJS.Process & { parentPort?: ParentPort };
  if (parentPort) {
    if (process.env[lentForkVariable]) useLentFork(parentPort);
    return {
      send: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', ({ data }) => listener(data)),
    };
  }
  // At once, because leaving in good order waits for native code that still computes.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  return {
    send: (message) => process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
  };
}

/** Answers main's jobs until it says stop or is gone. `onStop` frees what the handlers hold. */
export function serveEngine<Jobs extends JobTable>(
  handlers: Handlers<Jobs>,
  onStop: () => Promise<void>,
): void {
  const main = port();
  const send = (message: FromEngine<Jobs>) => main.send(message);
  const jobs = new Map<number, AbortController>();

  async function run({ id, kind, input }: Extract<ToEngine<Jobs>, { type: 'job' }>): Promise<void> {
    const controller = new AbortController();
    jobs.set(id, controller);
    try {
      const emit = (event: Jobs[keyof Jobs]['event']) => send({ type: 'event', id, event });
      const result = await handlers[kind](input, { signal: controller.signal, emit });
      send({ type: 'result', id, result });
    } catch (thrown) {
      const { code, message, remedy, stack } = PunaError.from(thrown);
      if (code === 'internal') process.stderr.write(`${stack}\n`);
      send({ type: 'error', id, code, message, remedy });
    } finally {
      jobs.delete(id);
    }
  }

  main.onMessage((received) => {
    const message = received as ToEngine<Jobs>;
    if (message.type === 'job') void run(message);
    else if (message.type === 'cancel') jobs.get(message.id)?.abort();
    else if (message.type === 'stop') {
      for (const controller of jobs.values()) controller.abort();
      void onStop().finally(() => process.exit());
    }
  });

  // A terminal sends these to main and to its engines at once; it is main that decides what becomes of a running job.
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  setInterval(() => send({ type: 'heartbeat' }), heartbeatMs);
  endWithParent();
  send({ type: 'ready' });
}

/**
 * Ends this process when its parent is gone, also when native code holds the main thread at that moment: a thread of its own
 * looks. On POSIX a process whose parent died has another one from then on; Windows keeps the number of the dead one.
 */
function endWithParent(): void {
  const watch = `
    const { workerData: parent } = require('node:worker_threads');
    function gone() {
      if (process.ppid !== parent) return true;
      try {
        process.kill(parent, 0);
        return false;
      } catch ({ code }) {
        return code === 'ESRCH';
      }
    }
    setInterval(() => gone() && process.kill(process.pid, 'SIGKILL'), ${heartbeatMs});
  `;
  new Worker(watch, { eval: true, execArgv: [], workerData: process.ppid }).unref();
}
