import { recall, remember } from '../remembered.ts';

/** Narrower than this, the sidebar lies over the page and is closed at first. */
const narrow = matchMedia('(width < 48rem)');
/** Narrower than this, the panel lies over the page too. */
const tight = matchMedia('(width < 72rem)');

/** What of the window is open. */
class Layout {
  narrow = $state(narrow.matches);
  tight = $state(tight.matches);
  palette = $state(false);
  shortcuts = $state(false);
  /** A folder is being named; the conversation, if any, moves into it. */
  namingFolder = $state<{ conversationId: number | null } | null>(null);
  #sidebar = $state(!narrow.matches && recall('sidebar') !== 'closed');
  #panel = $state(!tight.matches && recall('panel') === 'open');

  constructor() {
    narrow.addEventListener('change', ({ matches }) => {
      this.narrow = matches;
      this.#sidebar = !matches && recall('sidebar') !== 'closed';
    });
    tight.addEventListener('change', ({ matches }) => {
      this.tight = matches;
      this.#panel = !matches && recall('panel') === 'open';
    });
  }

  get sidebar(): boolean {
    return this.#sidebar;
  }

  get panel(): boolean {
    return this.#panel;
  }

  /** Something lies over the page and wants to be closed first. */
  get drawer(): boolean {
    return (this.narrow && this.#sidebar) || (this.tight && this.#panel);
  }

  toggleSidebar(): void {
    this.#sidebar = !this.#sidebar;
    if (!this.narrow) remember('sidebar', this.#sidebar ? null : 'closed');
  }

  togglePanel(): void {
    this.#panel = !this.#panel;
    if (!this.tight) remember('panel', this.#panel ? 'open' : null);
  }

  /** When another page comes, also by the way back, what lay over all of them goes away. */
  closeOverlays(): void {
    this.palette = false;
    this.shortcuts = false;
  }

  /** After a choice, what lay over the page goes away. */
  closeDrawers(): void {
    if (this.narrow) this.#sidebar = false;
    if (this.tight) this.#panel = false;
  }
}

export const layout = new Layout();
