import type { SearchHit } from '../../../shared/contract/index.ts';
import { tellFailure } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** Pause in typing after which is searched, in milliseconds. */
const rest = 100;
const pageSize = 30;

/** What is found for a query while it is being typed. Earlier hits stay until later ones are there, so that nothing flickers. */
export class Search {
  query = $state('');
  hits = $state.raw<SearchHit[]>([]);
  /** The query that the hits are for. */
  answered = $state('');
  #cursor = $state<string | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly wanted = $derived(this.query.trim());
  readonly waiting = $derived(this.wanted !== this.answered);

  get hasMore(): boolean {
    return this.#cursor !== null && !this.waiting;
  }

  /** To be called when the query has changed. */
  follow(): void {
    clearTimeout(this.#timer);
    const { wanted } = this;
    if (wanted === '') {
      this.#show('', [], null);
      return;
    }
    this.#timer = setTimeout(() => {
      app.client.history.search({ query: wanted, limit: pageSize }).then(({ hits, cursor }) => {
        if (wanted === this.wanted) this.#show(wanted, hits, cursor);
      }, tellFailure);
    }, rest);
  }

  async loadMore(): Promise<void> {
    const { answered } = this;
    const page = await app.client.history.search({ query: answered, cursor: this.#cursor, limit: pageSize });
    if (answered === this.answered) this.#show(answered, [...this.hits, ...page.hits], page.cursor);
  }

  reset(): void {
    this.query = '';
    this.follow();
  }

  #show(answered: string, hits: SearchHit[], cursor: string | null): void {
    this.answered = answered;
    this.hits = hits;
    this.#cursor = cursor;
  }
}
