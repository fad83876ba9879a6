import type { Model } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background, Chat, ModelHost } from '../chat/index.ts';
import type { AdapterFile } from '../inference/messages.ts';
import type { Library } from '../library/index.ts';

/** What a request is answered with. */
export interface Speaker {
  model: Model;
  adapters: AdapterFile[];
}

export interface TurnsOptions {
  host: Pick<ModelHost, 'model' | 'load'>;
  library: Pick<Library, 'get'>;
  chat: Pick<Chat, 'calm' | 'onCalm'>;
  background: Pick<Background, 'hold' | 'release'>;
  /** ms since 1970 */
  now?: () => number;
}

/** How long requests for one choice of model and adapters may go before older ones for another, in milliseconds. */
const longestTurn = 30_000;
/** Times that a request begins anew because its model was taken away. */
const mostTries = 5;
/** More than programs of one person ask at a time; each waits with its whole text in memory. */
const mostWaiting = 256;

interface Place {
  key: string;
  speaker: Speaker;
  seat: PromiseWithResolvers<null>;
}

/**
 * Which requests are answered when. Those for the model and adapters that are at work run side by side; those for others wait
 * until these have ended. Conversations go first: what is being written for programs holds meanwhile, and a model that a
 * conversation needs is loaded at once. What others want in the background waits for programs.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #now: () => number;
  /** In the order in which they came. */
  readonly #waiting: Place[] = [];
  #running = 0;
  #turn: { key: string; since: number } | null = null;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.chat.onCalm(() => this.#begin());
  }

  /**
   * Does some work when it is its turn and its model is loaded. Work whose model is taken away begins anew, unless it has
   * `begun` to be told. Errors: those of loading and of the work, `cancelled`.
   */
  async run<Result>(
    speaker: Speaker,
    { signal, begun }: { signal: AbortSignal; begun: () => boolean },
    work: (path: string) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      await this.#enter(speaker, signal);
      try {
        return await work(await this.#load(speaker.model, signal));
      } catch (thrown) {
        const isTaken = ['cancelled', 'no-model'].includes(PunaError.from(thrown).code);
        if (!isTaken || signal.aborted) throw thrown;
        if (begun() || attempt === mostTries) throw takenAway();
      } finally {
        this.#running--;
        this.#begin();
      }
    }
  }

  async #enter(speaker: Speaker, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    if (this.#waiting.length >= mostWaiting) {
      throw new PunaError('cancelled', 'Too many requests wait already.', 'Ask again later.');
    }
    const key = JSON.stringify([speaker.model.id, speaker.adapters]);
    const place: Place = { key, speaker, seat: Promise.withResolvers() };
    const leave = () => {
      const at = this.#waiting.indexOf(place);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      place.seat.reject(cancelled());
      this.#begin();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(place);
    this.#options.background.hold('programs');
    this.#begin();
    await place.seat.promise.finally(() => signal.removeEventListener('abort', leave));
  }

  #begin(): void {
    for (let place = this.#next(); place; place = this.#next()) {
      this.#waiting.splice(this.#waiting.indexOf(place), 1);
      if (this.#turn?.key !== place.key) this.#turn = { key: place.key, since: this.#now() };
      this.#running++;
      place.seat.resolve(null);
    }
    if (this.#running > 0 || this.#waiting.length > 0) return;
    this.#turn = null;
    this.#options.background.release('programs');
  }

  #next(): Place | undefined {
    const able = this.#waiting.filter(({ speaker }) => this.#mayLoad(speaker));
    const oldest = able[0];
    const turn = this.#turn;
    if (!oldest || turn === null) return oldest;
    const isOver = oldest.key !== turn.key && this.#now() - turn.since > longestTurn;
    const same = isOver ? undefined : able.find(({ key }) => key === turn.key);
    return this.#running > 0 ? same : (same ?? oldest);
  }

  /** While conversations want replies, the model stays theirs. */
  #mayLoad({ model }: Speaker): boolean {
    return this.#options.chat.calm || this.#options.host.model?.id === model.id;
  }

  /** Gives the model's path. Whoever gives up waiting does not end the loading, which others may wait for. */
  async #load({ id }: Model, signal: AbortSignal): Promise<string> {
    const { host, library } = this.#options;
    // With the settings that it has now: others load it with these.
    const model = await library.get(id);
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(cancelled());
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      if (!this.#mayLoad({ model, adapters: [] })) throw cancelled();
      await Promise.race([host.load(model), stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return model.path;
  }
}

function cancelled(): PunaError {
  return new PunaError('cancelled', 'The request was cancelled.');
}

function takenAway(): PunaError {
  return new PunaError(
    'cancelled',
    'The model made room for another one that was wanted in Puna meanwhile.',
    'Ask again.',
  );
}
