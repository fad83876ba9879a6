import { setTimeout as wait } from 'node:timers/promises';
import { PunaError } from '../../shared/error.ts';
import { type EngineName, entryFile } from './entry.ts';
import type { FromEngine, JobTable, ToEngine } from './messages.ts';
import type { EngineProcess, LaunchEngine } from './process.ts';
import { SilenceWatch } from './silence-watch.ts';
import { StderrTail } from './stderr-tail.ts';

export interface EngineOptions {
  entry: EngineName | { file: string };
  launch: LaunchEngine;
  /** A process that is silent for so long hangs and is killed. Native code may hold its event loop for some seconds. */
  silenceMs?: number;
  /** Pauses before the next start, by the number of deaths since the last job that ended well. */
  pausesMs?: readonly number[];
}

const remedy = 'Try again; if it happens again, choose a smaller model or context.';

export interface RunOptions<Event> {
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
const usualPausesMs = [0, 500, 2_000, 10_000];

/**
 * Runs jobs in a process of its own, which is forked when the first one comes, watched, and forked again when it is needed
 * after its death. A job whose process dies fails with `engine-died` and the process's last words.
 */
export class Engine<Jobs extends JobTable> {
  readonly #file: string;
  readonly #launch: LaunchEngine;
  readonly #silenceMs: number;
  readonly #pausesMs: readonly number[];
  readonly #exitListeners: ((reason: string | null) => void)[] = [];
  readonly #jobs = new Map<number, Running>();
  #process: EngineProcess | null = null;
  #starting: Promise<EngineProcess> | null = null;
  #gone: Promise<void> = Promise.resolve();
  #nextId = 1;
  #deaths = 0;
  /** Ends the pause before a start. */
  #pause = new AbortController();
  #stopping: Promise<void> | null = null;
  /** Why we killed it, if we did. */
  #verdict: string | null = null;

  constructor({ entry, launch, silenceMs = usualSilenceMs, pausesMs = usualPausesMs }: EngineOptions) {
    this.#file = typeof entry === 'string' ? entryFile(entry) : entry.file;
    this.#launch = launch;
    this.#silenceMs = silenceMs;
    this.#pausesMs = pausesMs;
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
    const process = await this.#ready(signal);
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
  stop(): Promise<void> {
    this.#stopping ??= this.#end().finally(() => (this.#stopping = null));
    return this.#stopping;
  }

  async #end(): Promise<void> {
    this.#pause.abort();
    await this.#starting?.catch(() => undefined);
    const process = this.#process;
    if (!process) return;
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
  }

  /** The process, which is started if there is none. Whoever gives up waiting does not stop the start for others. */
  async #ready(signal: AbortSignal | undefined): Promise<EngineProcess> {
    if (this.#stopping) throw stoppedError();
    if (this.#process) return this.#process;
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    const cancelled = Promise.withResolvers<never>();
    const cancel = () => cancelled.reject(new PunaError('cancelled', 'It was cancelled before it began.'));
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      return await Promise.race([this.#starting, cancelled.promise]);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async #start(): Promise<EngineProcess> {
    this.#pause = new AbortController();
    const pauseMs = this.#pausesMs[Math.min(this.#deaths, this.#pausesMs.length - 1)];
    await wait(pauseMs, undefined, { signal: this.#pause.signal }).catch(() => {
      throw stoppedError();
    });
    const process = this.#launched();
    const tail = new StderrTail();
    const watch = new SilenceWatch(this.#silenceMs, () => this.#kill('It no longer answered.'));
    this.#process = process;
    this.#verdict = null;
    process.onStderr((text) => tail.add(text));
    process.onMessage((message) => {
      watch.heard();
      this.#receive(message as FromEngine<Jobs>);
    });
    this.#gone = new Promise((resolve) => {
      process.onExit((code, signal) => {
        watch.end();
        this.#ended(reasonOf({ code, signal, verdict: this.#verdict, tail }), tail);
        resolve();
      });
    });
    return process;
  }

  #launched(): EngineProcess {
    try {
      return this.#launch(this.#file);
    } catch (thrown) {
      const { message } = PunaError.from(thrown);
      throw new PunaError('engine-died', `The engine could not be started: ${message}`, remedy, {
        cause: thrown,
      });
    }
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
      ? stoppedError()
      : new PunaError('engine-died', reason, remedy, { cause: tail.text });
    for (const job of this.#jobs.values()) {
      job.settled();
      job.reject(error);
    }
    this.#jobs.clear();
    for (const listener of this.#exitListeners) listener(this.#stopping ? null : reason);
  }
}

function stoppedError(): PunaError {
  return new PunaError('cancelled', 'The engine was stopped.');
}

interface Ending {
  code: number | null;
  signal: string | null;
  /** Why we killed it, if we did. */
  verdict: string | null;
  tail: StderrTail;
}

function reasonOf(end: Ending): string {
  const words = end.tail.lastWords;
  return `The engine stopped working. ${howItEnded(end)}${words === '' ? '' : ` Its last words: ${words}`}`;
}

function howItEnded({ code, signal, verdict }: Ending): string {
  if (verdict !== null) return verdict;
  if (signal !== null) return `It was ended by ${signal}.`;
  return code === null ? 'It could not be started.' : `It ended with status ${code}.`;
}
