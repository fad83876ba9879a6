import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { ExampleFilter, ExampleRow } from '../../../../shared/contract/index.ts';
import type { Client } from '../../../lib/connection.svelte.ts';
import { tellFailure } from '../../../lib/failure.ts';

/** Rows that are fetched at once. */
const pageSize = 100;
/** Whoever drags the scrollbar passes thousands of rows by; those are fetched where they rest so long, in milliseconds. */
const restFor = 60;
/** Pages that are kept; the farthest go first. */
const mostPages = 50;
/** A choice of examples has no more ids (src/shared/contract/dataset.ts), and a page of ids no more rows. */
export const mostIds = 10_000;
const idsAtOnce = 500;

const everything: ExampleFilter = { query: '', show: 'all' };

/** The examples that a filter finds, as far as they have been looked at. */
export class ExamplePages {
  /** Null: not known yet. */
  total = $state<number | null>(null);
  filter = $state.raw<ExampleFilter>(everything);
  readonly #client: Client;
  readonly #datasetId: number;
  readonly #pages = new SvelteMap<number, readonly ExampleRow[]>();
  #asked = new SvelteSet<number>();
  #generation = 0;
  #inView = { from: 0, to: pageSize };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client, datasetId: number) {
    this.#client = client;
    this.#datasetId = datasetId;
  }

  /** Undefined while it is being fetched. */
  row(index: number): ExampleRow | undefined {
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** These come into view. */
  look(from: number, to: number): void {
    this.#inView = { from, to };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetchInView(), this.total === null ? 0 : restFor);
  }

  /** Another filter: from the beginning. */
  use(filter: ExampleFilter): void {
    this.filter = filter;
    this.total = null;
    this.#pages.clear();
    this.#inView = { from: 0, to: pageSize };
    this.reload();
  }

  /** Something has changed: what is in view stays until it is there anew. */
  reload(): void {
    this.#generation++;
    this.#asked = new SvelteSet();
    const kept = this.#pagesInView();
    for (const page of this.#pages.keys()) if (!kept.includes(page)) this.#pages.delete(page);
    this.#fetchInView();
  }

  /** The one at a place, fetched where need be; null: there is none. */
  async at(index: number): Promise<ExampleRow | null> {
    if (index < 0 || (this.total !== null && index >= this.total)) return null;
    if (!this.row(index)) await this.#fetch(Math.floor(index / pageSize));
    return this.row(index) ?? null;
  }

  /** Rows of a range, as many as can be chosen by their ids. Errors: as `datasets.page`. */
  async range(from: number, to: number): Promise<ExampleRow[]> {
    const rows: ExampleRow[] = [];
    const end = Math.min(to + 1, from + mostIds);
    for (let offset = from; offset < end; offset += idsAtOnce) {
      const limit = Math.min(idsAtOnce, end - offset);
      const { examples } = await this.#client.datasets.page({
        ...{ datasetId: this.#datasetId, filter: this.filter, offset, limit },
      });
      rows.push(...examples);
    }
    return rows;
  }

  #pagesInView(): number[] {
    const { from, to } = this.#inView;
    const first = Math.floor(from / pageSize);
    return Array.from({ length: Math.floor(to / pageSize) - first + 1 }, (_, index) => first + index);
  }

  #fetchInView(): void {
    const pages = this.#pagesInView();
    const last = Math.floor(Math.max(0, (this.total ?? 1) - 1) / pageSize);
    for (const page of pages) {
      if (page <= last && !this.#asked.has(page)) this.#fetch(page).catch(tellFailure);
    }
  }

  async #fetch(page: number): Promise<void> {
    const generation = this.#generation;
    this.#asked.add(page);
    try {
      const { examples, total } = await this.#client.datasets.page({
        ...{ datasetId: this.#datasetId, filter: this.filter },
        ...{ offset: page * pageSize, limit: pageSize },
      });
      if (generation !== this.#generation) return;
      this.#pages.set(page, examples);
      this.total = total;
      this.#forget();
    } catch (thrown) {
      if (generation !== this.#generation) return;
      this.#asked.delete(page);
      throw thrown;
    }
  }

  #forget(): void {
    if (this.#pages.size <= mostPages) return;
    const middle = (this.#inView.from + this.#inView.to) / 2 / pageSize;
    const farthest = [...this.#pages.keys()].reduce((one, other) =>
      Math.abs(other - middle) > Math.abs(one - middle) ? other : one,
    );
    this.#pages.delete(farthest);
    this.#asked.delete(farthest);
  }
}
