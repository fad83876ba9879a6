import { setTimeout as wait } from 'node:timers/promises';
import { PunaError } from '../../shared/error.ts';
import { type EngineName, entryFile } from './entry.ts';
import type { FromEngine, JobTable, ToEngine } from './messages.ts';
import type { EngineProcess, LaunchEngine } from './process.ts';
import { StderrTail } from './stderr-tail.ts';

export interface EngineOptions {
  entry: EngineName | { file: string };
  launch: LaunchEngine;
  /** A process that is silent for so long hangs and is killed. Native code may hold its event loop for some seconds. */
  silenceMs?: number;
}

interface RunOptions<Event> {
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

interface Running {
  onEvent: ((event: never) => void) | undefined;
  resolve: (result: never) => void;
  reject: (error: unknown) => void;
  settled: () => void;
}

const usualSilenceMs = 60_000;
/** Time to leave after being asked, before being told, and before being killed. */
const patienceMs = 3_000;
/** Pauses before the next start, by the number of deaths since the last job that ended well. */
const backOffMs = [0, 500, 2_000, 10_000];

/**
 * Runs jobs in a process of its own, which is forked when the first one comes, watched, and forked again when it is needed
 * after its death. A job whose process dies fails with `engine-died` and the process's last words.
 */
export class Engine<Jobs extends JobTable> {
  readonly #file: string;
  readonly #launch: LaunchEngine;
  readonly #silenceMs: number;
  readonly #exitListeners: ((reason: string | null) => void)[] = [];
  readonly #jobs = new Map<number, Running>();
  #process: EngineProcess | null = null;
  #starting: Promise<EngineProcess> | null = null;
  #gone: Promise<void> = Promise.resolve();
  #nextId = 1;
  #deaths = 0;
  #stopping = false;
  /** Why we killed it, if we did. */
  #verdict: string | null = null;

  constructor({ entry, launch, silenceMs = usualSilenceMs }: EngineOptions) {
    this.#file = typeof entry === 'string' ? entryFile(entry) : entry.file;
    this.#launch = launch;
    this.#silenceMs = silenceMs;
  }

  /** Whether there is a process. */
  get running(): boolean {
    return this.#process !== null;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Called when the process has ended: with the reason as a sentence, or null when it was told to. */
  onExit(listener: (reason: string | null) => void): void {
    this.#exitListeners.push(listener);
  }

  /**
   * Runs a job. Aborting the signal cancels it; what a cancelled job then gives (a result or `cancelled`) is its own affair.
   * Errors: `engine-died`, `cancelled`, and whatever the job reports.
   */
  async run<Kind extends keyof Jobs & string>(
    kind: Kind,
    input: Jobs[Kind]['input'],
    { signal, onEvent }: RunOptions<Jobs[Kind]['event']> = {},
  ): Promise<Jobs[Kind]['result']> {
    const process = await this.#ready();
    const id = this.#nextId++;
    const cancel = () => process.send({ type: 'cancel', id } satisfies ToEngine<JobTable>);
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, {
        onEvent,
        resolve,
        reject,
        settled: () => signal?.removeEventListener('abort', cancel),
      });
      process.send({ type: 'job', id, kind, input } satisfies ToEngine<JobTable>);
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Ends the process: asks, then tells, then kills. Running jobs fail with `cancelled`. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const process = this.#process;
    if (!process) return;
    this.#stopping = true;
    const gone = this.#gone.then(() => true);
    process.send({ type: 'stop' } satisfies ToEngine<JobTable>);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const patience = new AbortController();
      const tired = wait(patienceMs, false, { signal: patience.signal }).catch(() => false);
      const left = await Promise.race([gone, tired]);
      patience.abort();
      if (left) break;
      process.kill(signal);
    }
    await gone;
    this.#stopping = false;
  }

  #ready(): Promise<EngineProcess> {
    if (this.#process) return Promise.resolve(this.#process);
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async #start(): Promise<EngineProcess> {
    await wait(backOffMs[Math.min(this.#deaths, backOffMs.length - 1)]);
    const process = this.#launch(this.#file);
    const tail = new StderrTail();
    const watch = setTimeout(() => this.#kill('It no longer answered.'), this.#silenceMs);
    this.#process = process;
    this.#verdict = null;
    process.onStderr((text) => tail.add(text));
    process.onMessage((message) => {
      watch.refresh();
      this.#receive(message as FromEngine<Jobs>);
    });
    this.#gone = new Promise((resolve) => {
      process.onExit((code, signal) => {
        clearTimeout(watch);
        this.#ended(reasonOf({ code, signal, verdict: this.#verdict, tail }), tail);
        resolve();
      });
    });
    return process;
  }

  #kill(verdict: string): void {
    this.#verdict = verdict;
    this.#process?.kill('SIGKILL');
  }

  #receive(message: FromEngine<Jobs>): void {
    if (message.type === 'ready' || message.type === 'heartbeat') return;
    const job = this.#jobs.get(message.id);
    if (!job) return;
    if (message.type === 'event') {
      job.onEvent?.(message.event as never);
      return;
    }
    this.#jobs.delete(message.id);
    job.settled();
    this.#deaths = 0;
    if (message.type === 'result') job.resolve(message.result as never);
    else job.reject(new PunaError(message.code, message.message, message.remedy));
  }

  #ended(reason: string, tail: StderrTail): void {
    this.#process = null;
    if (!this.#stopping) this.#deaths++;
    const error = this.#stopping
      ? new PunaError('cancelled', 'The engine was stopped.')
      : new PunaError(
          'engine-died',
          reason,
          'Try again; if it happens again, choose a smaller model or context.',
          {
            cause: tail.text,
          },
        );
    for (const job of this.#jobs.values()) {
      job.settled();
      job.reject(error);
    }
    this.#jobs.clear();
    for (const listener of this.#exitListeners) listener(this.#stopping ? null : reason);
  }
}

function reasonOf(end: {
  code: number | null;
  signal: string | null;
  verdict: string | null;
  tail: StderrTail;
}): string {
  const { code, signal, verdict, tail } = end;
  const how = verdict ?? (signal ? `It was ended by ${signal}.` : `It ended with status ${code}.`);
  const words = tail.lastWords;
  return `The engine stopped working. ${how}${words === '' ? '' : ` Its last words: ${words}`}`;
}
