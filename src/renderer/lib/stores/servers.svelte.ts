import type { Server } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';

/** Servers whose models can be talked to beside those on this computer. */
export class Servers {
  items = $state.raw<Server[]>([]);
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.servers.list();
  }

  find(id: number): Server | undefined {
    return this.items.find((server) => server.id === id);
  }

  /** Takes in one that an answer tells of, which may be here before the event. */
  put(server: Server): void {
    const isKnown = this.items.some(({ id }) => id === server.id);
    this.items = isKnown
      ? this.items.map((each) => (each.id === server.id ? server : each))
      : [...this.items, server];
  }
}
