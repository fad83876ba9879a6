import type { WeightsJob } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';
import { NewestFirst } from './newest-first.svelte.ts';

/** Operations on weights. */
export class WeightsJobs extends NewestFirst<WeightsJob> {
  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.weights.list();
  }
}
