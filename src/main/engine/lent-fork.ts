import childProcess, { type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';

// node-llama-cpp tries a library in a process of its own before it loads it. In Electron it has `fork` for that, which needs the fuse
// `runAsNode`: with it, every program on the machine could use Puna as a Node. So main, which can start utility processes, lends that
// to its engines: they ask for a process, and its messages go by way of main.

/** Names what an engine's environment has where main lends it processes. */
export const lentForkVariable = 'PUNA_LENT_FORK';

/** From an engine to main; `id` is the process's, as the engine counts. */
export type ForkRequest =
  | { type: 'fork'; id: number; file: string; env: Record<string, string> }
  | { type: 'fork-send'; id: number; message: unknown }
  | { type: 'fork-kill'; id: number };

/** From main to the engine. */
export type ForkReport =
  { type: 'fork-message'; id: number; message: unknown } | { type: 'fork-exit'; id: number; code: number };

/** The end of a utility process that talks to main, as Electron makes it. */
export interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

/** From now on, whoever forks in this process gets a process of main's. */
export function useLentFork(port: ParentPort): void {
  const children = new Map<number, LentChild>();
  let last = 0;
  const ask = (request: ForkRequest) => port.postMessage(request);
  port.on('message', ({ data }) => {
    const report = data as ForkReport;
    if (report.type === 'fork-message') children.get(report.id)?.emit('message', report.message);
    if (report.type !== 'fork-exit') return;
    children.get(report.id)?.end(report.code);
    children.delete(report.id);
  });

  const fork = (file: string | URL, _words?: unknown, options: { env?: NodeJS.ProcessEnv } = {}) => {
    const id = ++last;
    const child = new LentChild(id, ask);
    children.set(id, child);
    const env = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    ask({ type: 'fork', id, file: String(file), env: Object.fromEntries(env) });
    return child;
  };
  Object.assign(childProcess, { fork });
  // For those who have imported it by its name.
  syncBuiltinESMExports();
}

/** As much of a child process as node-llama-cpp uses. */
class LentChild
  extends EventEmitter
  implements Pick<ChildProcess, 'killed' | 'exitCode' | 'stdout' | 'stderr'>
{
  killed = false;
  exitCode: number | null = null;
  readonly stdout = null;
  readonly stderr = null;
  readonly #id: number;
  readonly #ask: (request: ForkRequest) => void;

  constructor(id: number, ask: (request: ForkRequest) => void) {
    super();
    this.#id = id;
    this.#ask = ask;
  }

  send(message: unknown): boolean {
    this.#ask({ type: 'fork-send', id: this.#id, message });
    return true;
  }

  kill(): boolean {
    if (this.exitCode !== null) return false;
    this.killed = true;
    this.#ask({ type: 'fork-kill', id: this.#id });
    return true;
  }

  end(code: number): void {
    this.exitCode = code;
    this.emit('exit', code, null);
  }
}
