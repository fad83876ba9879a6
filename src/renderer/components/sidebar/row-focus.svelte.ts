/** How far a key leads. `page`: rows that are seen at once; `last`: place of the last row. */
interface Reach {
  key: string;
  page: number;
  last: number;
}

const steps = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at, { page }) => at + Math.max(1, page - 1),
  PageUp: (at, { page }) => at - Math.max(1, page - 1),
  Home: () => 0,
  End: (_, { last }) => last,
  // The row itself deletes its conversation; who goes through the list goes on from the next one.
  Delete: (at, { last }) => (at < last ? at + 1 : at - 1),
} satisfies Record<string, (at: number, reach: Reach) => number>;

export function isStep(key: string): key is keyof typeof steps {
  return Object.hasOwn(steps, key);
}

/** The row that a key leads to from the one at `at`, which may lie before the first or behind the last. */
export function stepFrom(at: number, reach: Reach): number {
  return isStep(reach.key) ? steps[reach.key](at, reach) : at;
}

/** What would be done with the row that has the focus, while a person means the one that they are being led to. */
const meantForRow = ['Enter', 'Delete', 'F2', 'ContextMenu'];

/** A row is drawn, measured and shown within a few pictures; after so many it never will be. */
const mostFrames = 120;

/** Leads the focus through a list of which only what is in sight is drawn. Rows are known by the ids of what they show. */
export class RowFocus {
  /** The row that had the focus last. */
  lastId = $state<number | null>(null);
  /** The one that is about to have it: it is not drawn yet, or still hidden. */
  wantedId = $state<number | null>(null);
  readonly #find: (id: number) => HTMLElement | null;

  constructor(find: (id: number) => HTMLElement | null) {
    this.#find = find;
  }

  /** Where a person is. */
  get id(): number | null {
    return this.wantedId ?? this.lastId;
  }

  /** Gives a row the focus, at once if it is there, else as soon as it is. */
  lead(id: number): void {
    this.wantedId = id;
    this.#tryFor(mostFrames);
  }

  /** A row has the focus now; null: something else of the list. */
  arrive(id: number | null): void {
    if (id !== null) this.lastId = id;
    this.wantedId = null;
  }

  /** The focus went elsewhere. */
  leave(): void {
    this.wantedId = null;
  }

  /** Keeps a key from a row that a person has left already. */
  hold(event: KeyboardEvent): void {
    if (this.wantedId === null || !meantForRow.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #tryFor(frames: number): void {
    const id = this.wantedId;
    if (id === null) return;
    // What is still hidden takes no focus.
    this.#find(id)?.focus();
    if (this.wantedId !== id) return;
    if (frames === 0) this.wantedId = null;
    else requestAnimationFrame(() => this.wantedId === id && this.#tryFor(frames - 1));
  }
}
