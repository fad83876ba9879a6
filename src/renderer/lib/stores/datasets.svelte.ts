import type { Dataset } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';
import { NewestFirst } from './newest-first.svelte.ts';

/** What can be learnt from. */
export class Datasets extends NewestFirst<Dataset> {
  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.datasets.list();
  }
}
