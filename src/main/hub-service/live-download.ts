import type { Download } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import { Live, type LiveOptions, Pace } from '../runs/index.ts';

/** Pieces come hundreds of times a second; their speed is measured over at least so many milliseconds. */
const measuredFor = 200;
/** A server that sends nothing for so long, in milliseconds, has no speed that anything could be guessed from. */
const quietAfter = 3_000;

/** A download that waits or is at work. */
export class LiveDownload extends Live<Download> {
  readonly #now: () => number;
  #pace: Pace;
  /** How much was there when the speed was last measured. */
  #measured: { bytes: number; at: number } | null = null;
  #quiet: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** How often it has failed without getting further, and how far that was. */
  #failures = { count: 0, doneBytes: 0 };

  constructor(download: Download, options: LiveOptions<Download>) {
    super(download, options);
    this.#now = options.now;
    this.#pace = new Pace(options.now);
  }

  /** Its turn has come. */
  begin(): void {
    this.change({ state: 'working', error: null, retryAt: null });
  }

  /** Whether its turn may come. */
  get ready(): boolean {
    return this.waiting && this.value.retryAt === null;
  }

  /** It failed, and waits until it is worth another try, when `onTime` is called; `pauseFor` tells for how long, in ms. */
  putOff(failure: PunaError, pauseFor: (failures: number) => number, onTime: () => void): void {
    const { doneBytes } = this.value;
    const count = doneBytes > this.#failures.doneBytes ? 1 : this.#failures.count + 1;
    this.#failures = { count, doneBytes };
    const pause = pauseFor(count);
    this.rest();
    this.#retry = setTimeout(() => {
      this.change({ retryAt: null });
      onTime();
    }, pause).unref();
    this.change({ ...stopped, state: 'waiting', error: shown(failure), retryAt: this.#now() + pause });
  }

  /** It need not wait any longer: a person wants it now. */
  hurry(): void {
    this.rest();
    this.#failures = { count: 0, doneBytes: 0 };
    this.change({ error: null, retryAt: null });
  }

  /** So many bytes are there now. */
  arrived(doneBytes: number): void {
    this.#measure(doneBytes);
    const bytesLeft = this.value.bytes - doneBytes;
    const second = this.#pace.secondsFor(1);
    this.changeSoon({
      doneBytes,
      bytesPerSecond: second ? 1 / second : null,
      secondsLeft: this.#pace.secondsFor(bytesLeft),
    });
    this.#quiet ??= setTimeout(() => this.#fallQuiet(), quietAfter).unref();
    this.#quiet.refresh();
  }

  succeed(modelId: number | null): void {
    this.#end({ state: 'done', doneBytes: this.value.bytes, modelId });
  }

  fail(failure: PunaError): void {
    this.#end({ state: 'failed', error: shown(failure) });
  }

  /** It goes on later: when the person says so, or (`waiting`) with the next start of the program. */
  stop(state: 'paused' | 'waiting'): void {
    this.#end({ state, error: null });
  }

  /** Nothing is to be expected of it for a while. */
  rest(): void {
    if (this.#quiet) clearTimeout(this.#quiet);
    if (this.#retry) clearTimeout(this.#retry);
    this.#quiet = this.#retry = null;
    this.#measured = null;
    this.#pace = new Pace(this.#now);
  }

  #end(patch: Partial<Download>): void {
    this.rest();
    this.settle({ ...stopped, ...patch });
  }

  /** What an earlier time has left, or what is there already, counts as no speed. */
  #measure(bytes: number): void {
    const now = this.#now();
    const last = this.#measured;
    if (!last || bytes < last.bytes) this.#pace.begin();
    else if (now - last.at >= measuredFor) this.#pace.mark(bytes - last.bytes);
    else return;
    this.#measured = { bytes, at: now };
  }

  #fallQuiet(): void {
    this.#quiet = null;
    this.#measured = null;
    this.#pace = new Pace(this.#now);
    this.changeSoon({ bytesPerSecond: 0, secondsLeft: null });
  }
}

/** What is true of all that are not at work. */
const stopped = { retryAt: null, bytesPerSecond: null, secondsLeft: null };

function shown({ code, message, remedy }: PunaError): Download['error'] {
  return { code, message, remedy };
}
