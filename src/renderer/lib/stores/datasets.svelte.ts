import { SvelteSet } from 'svelte/reactivity';
import type { Dataset } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';
import { NewestFirst } from './newest-first.svelte.ts';

/** What can be learnt from. */
export class Datasets extends NewestFirst<Dataset> {
  /** Those that are about to be removed, while that can still be undone. */
  readonly leaving = new SvelteSet<number>();
  readonly shown = $derived(this.items.filter(({ id }) => !this.leaving.has(id)));
  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.datasets.list();
  }
}
