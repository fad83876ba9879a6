import { SvelteSet } from 'svelte/reactivity';
import type { Download, DownloadOrder } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';
import { NewestFirst } from './newest-first.svelte.ts';

/** What comes from the hub, or has come. */
export class Downloads extends NewestFirst<Download> {
  /** Those that are about to be removed, while that can still be undone. */
  readonly leaving = new SvelteSet<number>();
  readonly shown = $derived(this.items.filter(({ id }) => !this.leaving.has(id)));
  readonly underway = $derived(this.shown.filter(({ state }) => state === 'waiting' || state === 'working'));
  readonly #client: Client;

  constructor(client: Client) {
    super();
    this.#client = client;
  }

  async reload(): Promise<void> {
    this.items = await this.#client.downloads.list();
  }

  /** The last one of what was ordered. */
  of({ repository, file }: DownloadOrder): Download | undefined {
    return this.shown.find((each) => each.repository === repository && each.file === file);
  }

  /** The last one of any model in a repository. */
  ofModel(repository: string): Download | undefined {
    return this.shown.find((each) => each.repository === repository && each.file !== null);
  }
}
