import type { Planned, WeightsItem, WeightsOperation } from '../../../shared/contract/index.ts';
import { inputsOf } from '../../../shared/operation-inputs.ts';
import type { Dropped } from '../../lib/dropped.ts';
import { failureText, type FailureWords, named } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { sendTo } from '../../lib/upload.ts';
import { lastPart } from '../../lib/paths.ts';
import {
  isQuantized,
  methodsFor,
  operationOf,
  type Options,
  suggestedName,
  usualOptions,
} from './operation.ts';
import {
  missingPart,
  type OperationKind,
  type Part,
  proposalsFor,
  roles,
  type Role,
  roleFor,
} from './proposals.ts';

/** A file or folder on the bench: on its way, being looked at, known, or refused. */
export interface BenchItem {
  readonly key: number;
  /** Of the file, until it is known what it calls itself. */
  label: string;
  /** Share of it that has been copied; null where nothing is to be copied. */
  copied: number | null;
  path: string | null;
  /** A text is known by its name alone. */
  item: WeightsItem | 'text' | null;
  role: Role;
  /** Of a merge, or of an adapter; null: as usual. */
  weight: number | null;
  failure: FailureWords | null;
  /** Ends the copying. */
  readonly stop: AbortController;
}

/** How long a person may go on choosing before the plan is made anew, in milliseconds. */
const planAfter = 250;

/** What a person has put together for the next operation. It stays while they look at other pages. */
class Workbench {
  items = $state<BenchItem[]>([]);
  options = $state<Options>({ ...usualOptions });
  plan = $state.raw<Planned | null>(null);
  planFailure = $state.raw<FailureWords | null>(null);
  starting = $state(false);
  #chosen = $state<OperationKind | null>(null);
  #key = 0;
  #planning = 0;

  readonly parts = $derived(this.items.flatMap((item) => partOf(item)));
  readonly proposals = $derived(proposalsFor(this.parts));
  readonly missing = $derived(missingPart(this.parts));
  readonly methods = $derived(methodsFor(this.parts));
  /** The one that was chosen, while it still makes sense, else the one that makes most sense. */
  readonly kind = $derived.by(() => {
    const chosen = this.#chosen;
    if (chosen && this.proposals.includes(chosen)) return chosen;
    return this.proposals[0] ?? null;
  });
  readonly used = $derived.by((): Options => {
    const [usual = 'linear'] = this.methods;
    const method = this.methods.includes(this.options.method) ? this.options.method : usual;
    return { ...this.options, method };
  });
  readonly suggestion = $derived(this.kind && suggestedName(this.kind, this.parts, this.used));
  readonly operation = $derived<WeightsOperation | null>(
    this.kind && operationOf(this.kind, this.parts, this.used),
  );
  /** What a person has to allow before it can begin. */
  readonly refused = $derived.by(() => {
    const model = this.parts.find(({ role }) => role === 'base' || role === 'model');
    const asks = this.kind === 'quantize' && isQuantized(model?.type ?? null) && !this.options.requantize;
    return asks ? 'isQuantized' : null;
  });
  readonly busy = $derived(this.items.some(({ item, failure }) => item === null && failure === null));

  choose(kind: OperationKind): void {
    this.#chosen = kind;
    this.set({ name: null, type: '' });
  }

  set(patch: Partial<Options>): void {
    this.options = { ...this.options, ...patch };
  }

  /** Puts a file or folder of the machine that runs Puna on the bench. */
  async addPath(path: string, label = lastPart(path)): Promise<void> {
    if (this.items.some((item) => item.path === path)) return;
    await this.#recognise(this.#add(label), path);
  }

  /** Puts on the bench what was let go on the page, in that order. */
  async addDropped(things: readonly Dropped[]): Promise<void> {
    const added = things.map((thing) => ({ thing, key: this.#add(thing.name) }));
    for (const { thing, key } of added) await this.#take(key, thing);
  }

  /** Puts on the bench what an operation was to be done with, so that it can be done in another way. */
  async reopen(operation: WeightsOperation): Promise<void> {
    this.items = [];
    this.choose(operation.kind);
    for (const { path, role } of inputsOf(operation)) {
      await this.addPath(path);
      const wanted = roles.find((known) => known === role) ?? 'model';
      const item = this.items.find((each) => each.path === path);
      if (item?.item) this.assign(item.key, wanted);
    }
  }

  /** Takes one off the bench; what was copied for it is removed. */
  remove({ key, path, stop }: BenchItem): void {
    stop.abort();
    this.items = this.items.filter((item) => item.key !== key);
    if (path !== null) app.client.weights.forget({ path }).catch(() => undefined);
  }

  /** Says what an item is to the operation; there is but one base. */
  assign(key: number, role: Role): void {
    this.items = this.items.map((item) => {
      if (item.key === key) return { ...item, role, weight: null };
      return role === 'base' && item.role === 'base' ? { ...item, role: 'model' } : item;
    });
  }

  weigh(key: number, weight: number | null): void {
    this.#change(key, { weight });
  }

  /** Asks what the operation will take and give; the answer to an earlier question is dropped. */
  makePlan(operation: WeightsOperation | null): () => void {
    const planning = ++this.#planning;
    this.planFailure = null;
    if (!operation) this.plan = null;
    const timer = setTimeout(() => {
      if (!operation) return;
      app.client.weights.plan(operation).then(
        (plan) => {
          if (planning === this.#planning) this.plan = plan;
        },
        (thrown: unknown) => {
          if (planning !== this.#planning) return;
          this.plan = null;
          this.planFailure = this.#failure(thrown);
        },
      );
    }, planAfter);
    return () => clearTimeout(timer);
  }

  /** Puts the operation in line and clears the bench. */
  async start(): Promise<void> {
    if (!this.operation || this.starting) return;
    this.starting = true;
    const used = this.items.map(({ key }) => key);
    try {
      app.weights.put(await app.client.weights.start($state.snapshot(this.operation)));
      this.items = this.items.filter(({ key }) => !used.includes(key));
      this.options = { ...usualOptions };
      this.#chosen = null;
    } catch (thrown) {
      this.planFailure = this.#failure(thrown);
    } finally {
      this.starting = false;
    }
  }

  #add(label: string): number {
    const key = ++this.#key;
    const fresh = { key, label, copied: null, path: null, item: null, role: 'model' as const };
    this.items = [...this.items, { ...fresh, weight: null, failure: null, stop: new AbortController() }];
    return key;
  }

  /** Where the browser tells no paths, the bytes are sent. */
  async #take(key: number, { name, path, files }: Dropped): Promise<void> {
    const item = this.#find(key);
    if (!item) return;
    if (path !== null) return this.#recognise(key, path);
    const { signal } = item.stop;
    this.#change(key, { copied: 0 });
    try {
      const group = { name, files: await files() };
      const onProgress = (copied: number) => this.#change(key, { copied });
      const kept = await sendTo(app.client.weights, app.client, group, { signal, onProgress });
      this.#change(key, { copied: null });
      if (kept !== null) await this.#recognise(key, kept);
    } catch (thrown) {
      if (!signal.aborted) this.#change(key, { copied: null, failure: this.#failure(thrown) });
    }
  }

  /** What went wrong, with the names that a person knows things by, instead of where Puna keeps them. */
  #failure(thrown: unknown): FailureWords {
    return named(failureText(thrown), this.items);
  }

  async #recognise(key: number, path: string): Promise<void> {
    this.#change(key, { path });
    try {
      const item = isText(path) ? 'text' : await app.client.weights.recognise({ path });
      const kind = item === 'text' ? item : item.kind;
      const name = item === 'text' ? path : item.name;
      const there = this.parts.map(({ role }) => role);
      this.#change(key, { item, role: roleFor(kind, name, there) });
    } catch (thrown) {
      this.#change(key, { failure: this.#failure(thrown) });
    }
  }

  #find(key: number): BenchItem | undefined {
    return this.items.find((item) => item.key === key);
  }

  #change(key: number, patch: Partial<BenchItem>): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, ...patch } : item));
  }
}

export const bench = new Workbench();

function partOf({ key, item, path, label, role, weight }: BenchItem): Part[] {
  if (item === null || path === null) return [];
  const own = { key, role, weight };
  if (item === 'text') return [{ ...own, path, name: label, layout: 'text', type: null }];
  // What files call themselves is often the same for all of a kind; what a person knows them by is their own name.
  const name = lastPart(item.path);
  return [{ ...own, path: item.path, name, layout: item.layout, type: item.type }];
}

function isText(path: string): boolean {
  return /\.(txt|md|raw)$/i.test(path);
}
