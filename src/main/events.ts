import { EventPublisher } from '@orpc/server';
import type { PunaEvent } from '../shared/contract/index.ts';

/**
 * How many events wait for a window that is slow to read them. Beyond it the oldest are dropped; the renderer notices
 * missing text by its offset.
 */
const maxBufferedEvents = 10_000;

/** Tells every window and tab what changed. */
export class Events {
  readonly #publisher = new EventPublisher<{ event: PunaEvent }>({ maxBufferedEvents });

  publish(event: PunaEvent): void {
    this.#publisher.publish('event', event);
  }

  /** Every event from now on, until the signal is aborted. */
  subscribe(signal: AbortSignal | undefined): AsyncGenerator<PunaEvent> {
    return this.#publisher.subscribe('event', { signal });
  }
}
