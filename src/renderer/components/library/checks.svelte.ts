import { SvelteMap } from 'svelte/reactivity';
import { tellFailure } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** Checks of models' files that this window has begun; each ends when the window does. */
class Checks {
  readonly #shares = new SvelteMap<number, number>();
  readonly #stops = new Map<number, AbortController>();

  /** How much of a model is checked, while it is. */
  shareOf(modelId: number): number | undefined {
    return this.#shares.get(modelId);
  }

  /** What comes of it arrives with the model. */
  async start(modelId: number): Promise<void> {
    if (this.#stops.has(modelId)) return;
    const stop = new AbortController();
    this.#stops.set(modelId, stop);
    this.#shares.set(modelId, 0);
    try {
      const steps = await app.client.library.verify({ modelId }, { signal: stop.signal });
      for await (const { bytes, total } of steps) this.#shares.set(modelId, total === 0 ? 1 : bytes / total);
    } catch (thrown) {
      if (!stop.signal.aborted) tellFailure(thrown);
    } finally {
      this.#stops.delete(modelId);
      this.#shares.delete(modelId);
    }
  }

  stop(modelId: number): void {
    this.#stops.get(modelId)?.abort();
  }
}

export const checks = new Checks();
