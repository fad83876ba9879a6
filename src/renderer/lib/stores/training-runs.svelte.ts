import type { TrainingPreset, TrainingRun } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';
import { NewestFirst } from './newest-first.svelte.ts';

/** Runs that teach models, and settings that a person has given a name. */
export class TrainingRuns extends NewestFirst<TrainingRun> {
  presets = $state.raw<TrainingPreset[]>([]);
  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  async reload(): Promise<void> {
    [this.items, this.presets] = await Promise.all([
      this.#client.training.list(),
      this.#client.training.presets(),
    ]);
  }
}
