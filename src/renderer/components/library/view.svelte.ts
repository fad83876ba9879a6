import type { ModelOrigin } from '../../../shared/contract/index.ts';
import { recall, remember } from '../../lib/remembered.ts';
import { type Choice, type Sort, sorts } from './choose-models.ts';

/** How the library is looked at in this window. */
class LibraryView implements Choice {
  words = $state('');
  origin = $state<ModelOrigin | null>(null);
  tags = $state<string[]>([]);
  #sort = $state<Sort>(sorts.find((sort) => sort === recall('models.sort')) ?? 'name');

  get sort(): Sort {
    return this.#sort;
  }

  set sort(sort: Sort) {
    this.#sort = sort;
    remember('models.sort', sort);
  }

  get isNarrowed(): boolean {
    return this.words.trim() !== '' || this.origin !== null || this.tags.length > 0;
  }

  toggleTag(tag: string): void {
    this.tags = this.tags.includes(tag) ? this.tags.filter((one) => one !== tag) : [...this.tags, tag];
  }

  /** Shows everything again, in the order that was chosen. */
  widen(): void {
    this.words = '';
    this.origin = null;
    this.tags = [];
  }
}

export const view = new LibraryView();
