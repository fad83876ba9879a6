import type { HubModel } from '../../../shared/contract/index.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** How long a person may go on typing before the hub is asked, in milliseconds. */
const askAfter = 350;

/** What a person looks for on the hub. It stays while they look at other pages. */
class HubSearch {
  /** As they stand in the field. */
  words = $state('');
  /** Null: nothing was looked for yet, or the first answer is still to come. */
  found = $state.raw<HubModel[] | null>(null);
  searching = $state(false);
  failure = $state.raw<unknown>(null);
  #next = $state<string | null>(null);
  /** Only the newest search counts: an older answer may arrive later. */
  #search = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop = new AbortController();

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Whether there are words to look for. */
  get active(): boolean {
    return this.words.trim() !== '';
  }

  /** Takes in what is being typed; the hub is asked once that has settled. */
  type(words: string): void {
    const before = this.words.trim();
    this.words = words;
    if (words.trim() === before) return;
    this.#reset();
    if (!this.active) return;
    this.searching = true;
    this.#timer = setTimeout(() => void this.run(), askAfter);
  }

  /** Asks the hub now. */
  async run(): Promise<void> {
    this.#reset();
    if (this.active) await this.#ask(null);
  }

  async more(): Promise<void> {
    if (!this.searching && this.#next !== null) await this.#ask(this.#next);
  }

  #reset(): void {
    clearTimeout(this.#timer);
    this.#search++;
    this.#stop.abort();
    this.found = null;
    this.#next = null;
    this.failure = null;
    this.searching = false;
  }

  async #ask(from: string | null): Promise<void> {
    const search = ++this.#search;
    this.#stop = new AbortController();
    this.searching = true;
    this.failure = null;
    try {
      const words = this.words.trim();
      const { models, next } = await app.client.hub.search({ words, from }, { signal: this.#stop.signal });
      if (search !== this.#search) return;
      const known = new Set(this.found?.map(({ id }) => id));
      // What moved down meanwhile comes a second time.
      this.found = [...(this.found ?? []), ...models.filter(({ id }) => !known.has(id))];
      this.#next = next;
    } catch (thrown) {
      if (search === this.#search) this.failure = thrown;
    } finally {
      if (search === this.#search) this.searching = false;
    }
  }
}

export const hubSearch = new HubSearch();
