import { setTimeout as wait } from 'node:timers/promises';
import type { Live } from './live.ts';

interface Place {
  readonly value: { id: number };
  readonly waiting: boolean;
  readonly controller: AbortController;
  readonly ended: Live<never>['ended'];
}

export interface LineOptions<Item> {
  /** Does one; must not throw. */
  work: (item: Item) => Promise<void>;
  /** Ends one that was stopped before its turn. */
  leave: (item: Item) => void;
  /** Nothing is left to do for now. */
  onEmpty?: () => Promise<void>;
}

/** One at a time is at work; the others wait in the order in which they came. */
export class Line<Item extends Place> {
  readonly #options: LineOptions<Item>;
  /** Those that wait, behind the one that is at work. */
  readonly #items: Item[] = [];
  readonly #closed = new AbortController();
  #drained: Promise<void> = Promise.resolve();

  constructor(options: LineOptions<Item>) {
    this.#options = options;
  }

  /** Aborted when the program ends. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  find(id: number): Item | undefined {
    return this.#items.find(({ value }) => value.id === id);
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#drained = this.#drained.then(() => this.#drain());
  }

  /** Stops one; resolves when it has ended. What waits need not wait to be stopped. */
  async stop(item: Item): Promise<void> {
    item.controller.abort();
    if (item.waiting && item !== this.#items[0]) this.#leave(item);
    await item.ended;
  }

  /** Stops all. What is at work has `patience` milliseconds to end in good order before `force` ends it. */
  async close(patience: number, force: () => Promise<void>): Promise<void> {
    this.#closed.abort();
    for (const item of this.#items) item.controller.abort();
    const patient = new AbortController();
    await Promise.race([
      this.#drained,
      wait(patience, undefined, { signal: patient.signal }).catch(() => undefined),
    ]);
    patient.abort();
    await force();
    await this.#drained;
  }

  #leave(item: Item): void {
    this.#items.splice(this.#items.indexOf(item), 1);
    this.#options.leave(item);
  }

  async #drain(): Promise<void> {
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      if (item.controller.signal.aborted || this.#closed.signal.aborted) {
        this.#leave(item);
        continue;
      }
      await this.#options.work(item);
      this.#items.shift();
    }
    await this.#options.onEmpty?.();
  }
}
