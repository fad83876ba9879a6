import { setTimeout as wait } from 'node:timers/promises';
import type { Model, Sampling } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { AdapterFile, Turn } from '../inference/messages.ts';
import type { Library } from '../library/index.ts';
import type { ModelHost } from './model-host.ts';

/** Who goes first: whoever waits in front of a conversation, or another program for its answer. */
type Holder = 'conversations' | 'programs';

/** A reply that no conversation waits for. */
export interface BackgroundRequest {
  model: Model;
  systemPrompt: string;
  /** The last one is the user's. */
  turns: Turn[];
  adapters: AdapterFile[];
  sampling: Sampling;
  /** The model is to answer at once, without thoughts; absent: as it likes. */
  thoughtless?: boolean;
}

export interface BackgroundOptions {
  host: Pick<ModelHost, 'model' | 'load' | 'reply'>;
  library: Pick<Library, 'get'>;
  /** How long nothing must be wanted before the person's model comes back, in milliseconds. */
  restTime?: number;
  /** ms since 1970 */
  now?: () => number;
}

/** Whoever wants one reply after the other asks again sooner, and no person waits that long for their model. */
const usualRestTime = 1_000;
/** The next request of whoever has just been answered comes within that time, in milliseconds: models are not changed before. */
const changeTime = 200;
/** How long requests for the model that is loaded may go before older ones for another, in milliseconds: loading takes seconds. */
const longestTurn = 30_000;
/** Times that a model is loaded again which somebody else took away. */
const mostTries = 5;

/** Why a reply that is being written ends without whoever wanted it being told. */
const putOff = Symbol('put off');

interface Place {
  readonly request: BackgroundRequest;
  readonly signal: AbortSignal;
  readonly text: PromiseWithResolvers<string>;
}

/**
 * Replies for others than conversations, such as datasets that a model writes. One at a time is made, while no conversation
 * wants one; what a conversation interrupts begins anew afterwards. The model that the person had loaded comes back when
 * nothing is wanted any more.
 */
export class Background {
  readonly #host: BackgroundOptions['host'];
  readonly #library: BackgroundOptions['library'];
  readonly #restTime: number;
  readonly #now: () => number;
  readonly #closed = new AbortController();
  /** In the order in which they came. */
  readonly #waiting: Place[] = [];
  #running: { place: Place; controller: AbortController } | null = null;
  #working = false;
  /** Who is to be answered first. */
  readonly #holders = new Set<Holder>();
  #resting: NodeJS.Timeout | null = null;
  /** The model that requests here have been answered with since then. */
  #turn: { modelId: number; since: number } | null = null;
  /** The model that was loaded for a request here, and not by the person. */
  #ownModelId: number | null = null;
  /** The model that the person had loaded, which made room. */
  #displaced: Model | null = null;

  constructor({ host, library, restTime = usualRestTime, now = Date.now }: BackgroundOptions) {
    this.#host = host;
    this.#library = library;
    this.#restTime = restTime;
    this.#now = now;
  }

  /**
   * The reply's text without its thoughts. Errors: those of loading a model and of replying (`out-of-memory` where there is no
   * room for it beside training), `not-found` (it has left the library), `cancelled`.
   */
  reply(request: BackgroundRequest, signal: AbortSignal): Promise<string> {
    if (signal.aborted || this.#closed.signal.aborted) return Promise.reject(cancelled());
    const place: Place = { request, signal, text: Promise.withResolvers() };
    const leave = () => this.#leave(place);
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(place);
    this.#begin();
    return place.text.promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Somebody is to be answered first: what is being written here is put off until their `release`. */
  hold(by: Holder = 'conversations'): void {
    this.#holders.add(by);
    this.#stopResting();
    this.#running?.controller.abort(putOff);
  }

  /** They want nothing any more. */
  release(by: Holder = 'conversations'): void {
    if (!this.#holders.delete(by) || this.#held) return;
    if (this.#host.model !== null) this.#forgetModels();
    this.#begin();
  }

  /** Loads a model that made room for something else, unless the person has another one; later where replies are still wanted. */
  async bringBack(model: Model): Promise<void> {
    this.#displaced ??= model;
    if (!this.#busy && !this.#held) await this.#loadDisplaced();
  }

  /** Refuses all that is wanted, now and later. */
  close(): void {
    this.#closed.abort();
    this.#stopResting();
    this.#running?.controller.abort();
    for (const place of this.#waiting.splice(0)) place.text.reject(cancelled());
  }

  get #held(): boolean {
    return this.#holders.size > 0;
  }

  get #busy(): boolean {
    return this.#working || this.#waiting.length > 0;
  }

  #leave(place: Place): void {
    if (this.#running?.place === place) return this.#running.controller.abort();
    const at = this.#waiting.indexOf(place);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    place.text.reject(cancelled());
  }

  #begin(): void {
    if (this.#working) return;
    this.#stopResting();
    this.#working = true;
    void this.#work();
  }

  /** Never throws: what goes wrong is told to whoever wanted the reply. */
  async #work(): Promise<void> {
    for (;;) {
      if (this.#changesModel()) await wait(changeTime);
      const place = this.#take();
      if (!place) break;
      await this.#answer(place);
    }
    this.#working = false;
    if (this.#held || this.#displaced === null || this.#closed.signal.aborted) return;
    this.#resting = setTimeout(() => void this.#loadDisplaced(), this.#restTime);
  }

  /** Whoever has just been answered may be about to ask again. */
  #changesModel(): boolean {
    const next = this.#choose();
    return next !== undefined && this.#turn !== null && !this.#isLoaded(next);
  }

  #take(): Place | undefined {
    const place = this.#choose();
    if (place) this.#waiting.splice(this.#waiting.indexOf(place), 1);
    return place;
  }

  #choose(): Place | undefined {
    if (this.#held) return undefined;
    const oldest = this.#waiting[0];
    const turnIsOver = this.#turn !== null && this.#now() - this.#turn.since > longestTurn;
    return turnIsOver ? oldest : (this.#waiting.find((place) => this.#isLoaded(place)) ?? oldest);
  }

  #isLoaded({ request }: Place): boolean {
    return this.#host.model?.id === request.model.id;
  }

  async #answer(place: Place): Promise<void> {
    const controller = new AbortController();
    this.#running = { place, controller };
    try {
      place.text.resolve(await this.#write(place.request, controller.signal));
    } catch (thrown) {
      const isPutOff = controller.signal.reason === putOff && !place.signal.aborted;
      if (isPutOff && !this.#closed.signal.aborted) this.#waiting.unshift(place);
      else place.text.reject(thrown);
    } finally {
      this.#running = null;
    }
  }

  async #write(request: BackgroundRequest, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#writeOnce(request, signal);
      } catch (thrown) {
        // Somebody else has loaded or unloaded a model meanwhile.
        const isTaken = ['cancelled', 'no-model'].includes(PunaError.from(thrown).code);
        if (signal.aborted || !isTaken || attempt === mostTries) throw thrown;
      }
    }
  }

  async #writeOnce(request: BackgroundRequest, signal: AbortSignal): Promise<string> {
    const { model, ...input } = request;
    await this.#load(model, signal);
    if (signal.aborted || this.#host.model?.id !== model.id) throw cancelled();
    let text = '';
    const result = await this.#host.reply(
      { ...input, continued: null },
      {
        signal,
        onEvent(event) {
          if (event.type === 'piece' && event.part === 'text') text += event.piece;
        },
      },
    );
    if (result.finish === 'stopped') throw cancelled();
    return text;
  }

  /**
   * Nobody's signal ends the loading, only the waiting for it: a conversation that wants the same model takes it over, and one
   * that wants another ends it.
   */
  async #load({ id }: Model, signal: AbortSignal): Promise<void> {
    // With the settings that it has now: others load it with these.
    const model = await this.#library.get(id);
    if (signal.aborted) throw cancelled();
    const present = this.#persons();
    if (present !== null) this.#displaced = present.id === model.id ? null : present;
    this.#ownModelId = present?.id === model.id ? null : model.id;
    if (this.#turn?.modelId !== model.id) this.#turn = { modelId: model.id, since: this.#now() };
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(cancelled());
    signal.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([this.#host.load(model), stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** The model that is loaded, unless it was loaded for a request here. */
  #persons(): Model | null {
    const present = this.#host.model;
    return present === null || present.id === this.#ownModelId ? null : present;
  }

  /** Never throws: why a model could not be loaded, its status says. */
  async #loadDisplaced(): Promise<void> {
    const displaced = this.#displaced;
    if (displaced === null) return;
    const isReplaced = this.#persons() !== null;
    this.#forgetModels();
    if (isReplaced) return;
    try {
      await this.#host.load(await this.#library.get(displaced.id), this.#closed.signal);
    } catch (thrown) {
      // While training holds the memory it cannot come; when training ends it is asked for again.
      if (PunaError.from(thrown).code === 'out-of-memory') this.#displaced ??= displaced;
    }
  }

  /** Whatever is loaded is the person's. */
  #forgetModels(): void {
    this.#ownModelId = null;
    this.#displaced = null;
  }

  #stopResting(): void {
    if (this.#resting) clearTimeout(this.#resting);
    this.#resting = null;
  }
}

function cancelled(): PunaError {
  return new PunaError('cancelled', 'The reply was cancelled.');
}
