import type { WeightsJob } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';

/** Operations on weights, newest first. */
export class WeightsJobs {
  items = $state.raw<WeightsJob[]>([]);
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.weights.list();
  }

  /** Takes in one that began or changed. */
  put(job: WeightsJob): void {
    const others = this.items.filter(({ id }) => id !== job.id);
    this.items = [...others, job].sort((one, other) => other.id - one.id);
  }

  remove(jobId: number): void {
    this.items = this.items.filter(({ id }) => id !== jobId);
  }
}
