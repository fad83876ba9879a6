import { SvelteMap } from 'svelte/reactivity';
import type { ExampleChoice, ExampleFilter, ExampleRow } from '../../../../shared/contract/index.ts';
import { type ExamplePages, mostIds } from './pages.svelte.ts';

/** Examples that a person has selected in the table: some, or all that a filter finds. */
export class Selection {
  /** The filter of which everything is selected. */
  #all = $state.raw<ExampleFilter | null>(null);
  readonly #some = new SvelteMap<number, ExampleRow>();
  readonly #pages: ExamplePages;
  /** Where a range begins. */
  #anchor = 0;

  constructor(pages: ExamplePages) {
    this.#pages = pages;
  }

  readonly count = $derived.by(() => (this.#all ? (this.#pages.total ?? 0) : this.#some.size));

  get all(): boolean {
    return this.#all !== null;
  }

  has(id: number): boolean {
    return this.#all !== null || this.#some.has(id);
  }

  /** Selects an example, or no longer. Errors: as `datasets.page`. */
  async toggle(index: number, row: ExampleRow): Promise<void> {
    this.#anchor = index;
    if (this.#all) {
      const rows = (this.#pages.total ?? 0) <= mostIds ? await this.#pages.range(0, mostIds - 1) : [];
      this.clear();
      for (const each of rows) this.#some.set(each.id, each);
      if (rows.length === 0) return void this.#some.set(row.id, row);
    }
    if (!this.#some.delete(row.id)) this.#some.set(row.id, row);
  }

  /** Selects all from the one that was selected last to this one. Errors: as `datasets.page`. */
  async extendTo(index: number): Promise<void> {
    if (this.#all) return;
    const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
    for (const row of await this.#pages.range(from, to)) {
      if (this.#some.size < mostIds) this.#some.set(row.id, row);
    }
  }

  selectAll(): void {
    this.#some.clear();
    this.#all = this.#pages.filter;
  }

  clear(): void {
    this.#all = null;
    this.#some.clear();
  }

  /** What is selected, for the program. Of some, only those that it would change. */
  choice(changes: (row: ExampleRow) => boolean): ExampleChoice | null {
    if (this.#all) return { filter: this.#all };
    const ids = [...this.#some.values()].filter(changes).map(({ id }) => id);
    return ids.length === 0 ? null : { ids };
  }
}
