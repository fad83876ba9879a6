import type { CleanSettings, DataSource, ImportSource } from '../../../../shared/contract/index.ts';
import { defaultCleanSettings } from '../../../../shared/contract/default-clean.ts';
import { type Dropped } from '../../../lib/dropped.ts';
import { failureText, type FailureWords, named } from '../../../lib/failure.ts';
import { t } from '../../../lib/i18n.svelte.ts';
import { recall, remember } from '../../../lib/remembered.ts';
import { goTo } from '../../../lib/router.svelte.ts';
import { app } from '../../../lib/stores/app.svelte.ts';
import { sendTo } from '../../../lib/upload.ts';
import { lastPart } from '../../../lib/paths.ts';
import {
  type Answers,
  cleaningOf,
  type Columns,
  fileSource,
  openQuestion,
  plainName,
  probableMe,
} from './order.ts';

/** As in the contract (src/shared/contract/dataset.ts); repeated here to keep the schemas out of the page. */
const usualValidation = 0.1;

/** Which of the chats in Puna are learnt from. */
export interface HistoryChoice {
  folderId: number | null;
  onlyLiked: boolean;
}

/** Something that is to be read: on its way, being looked into, known, or refused. */
export interface BenchItem extends Answers {
  readonly key: number;
  label: string;
  /** Share of it that has been copied; null where nothing is to be copied. */
  copied: number | null;
  path: string | null;
  /** What it is, once it has been looked into. */
  source: DataSource | null;
  /** It is the chats in Puna. */
  history: HistoryChoice | null;
  failure: FailureWords | null;
  /** Ends the copying and looking. */
  readonly stop: AbortController;
}

/** What a person has put together for the next dataset. It stays while they look at other pages. */
class ImportBench {
  items = $state.raw<BenchItem[]>([]);
  clean = $state<CleanSettings>(structuredClone(defaultCleanSettings));
  validation = $state(usualValidation);
  /** Null: as the first source is called. */
  name = $state<string | null>(null);
  starting = $state(false);
  failure = $state.raw<FailureWords | null>(null);
  #key = 0;

  readonly suggestion = $derived.by(() => {
    const named = this.#readable.length > 0 ? this.#readable : this.items;
    const [first] = named;
    if (!first) return '';
    const name = plainName(first.label);
    const count = named.length - 1;
    return count === 0 ? name : t('datasets.bench.nameMany', { name, count });
  });
  readonly #readable = $derived(this.items.filter(({ failure, source }) => !failure && !source?.failure));
  /** Something cannot be read, and is left out. */
  readonly leavesOut = $derived(this.#readable.length < this.items.length);
  /** Why it cannot begin yet; null: it can. */
  readonly waits = $derived.by(() => {
    if (this.#readable.length === 0) return 'failed';
    if (this.#readable.some(({ source, history }) => !source && !history)) return 'busy';
    const questions = this.#readable.map((item) => item.source && openQuestion(item.source, item));
    return questions.find((question) => question !== null) ?? null;
  });

  /** Puts a file or folder of the machine that runs Puna on the bench. */
  async addPath(path: string, label = lastPart(path)): Promise<void> {
    if (this.items.some((item) => item.path === path)) return;
    await this.#inspect(this.#add(label), path);
  }

  /** Puts on the bench what was let go on the page, in that order. */
  async addDropped(things: readonly Dropped[]): Promise<void> {
    const added = things.map((thing) => ({ thing, key: this.#add(thing.name) }));
    for (const { thing, key } of added) await this.#take(key, thing);
  }

  /** Puts the chats in Puna on the bench, once. */
  addHistory(): void {
    if (this.items.some(({ history }) => history)) return;
    this.#add(t('datasets.history.title'), { folderId: null, onlyLiked: false });
  }

  /** Takes one off the bench; what was copied for it is removed. */
  remove({ key, path, stop }: BenchItem): void {
    stop.abort();
    this.items = this.items.filter((item) => item.key !== key);
    if (path !== null) app.client.datasets.forget({ path }).catch(() => undefined);
    if (this.items.length === 0) this.#reset();
  }

  clear(): void {
    for (const item of this.items) this.remove(item);
  }

  setHistory(key: number, history: HistoryChoice): void {
    this.#change(key, { history });
  }

  /** Says who of a chat the person is, also where the same name is in others that have not been answered. */
  setMe(key: number, me: string): void {
    remember('me', me);
    this.items = this.items.map((item) => {
      if (item.key === key) return { ...item, me };
      const also = item.me === null && item.source?.people?.some(({ name }) => name === me);
      return also ? { ...item, me } : item;
    });
  }

  setColumns(key: number, columns: Columns): void {
    this.#change(key, { columns });
  }

  /** Looks into a chat again, with its dates described. */
  async setDates(key: number, dates: string): Promise<void> {
    const path = this.#find(key)?.path;
    if (path == null) return;
    this.#change(key, { dates, source: null });
    await this.#inspect(key, path);
  }

  /** Has the dataset made, clears the bench and shows it. */
  async start(): Promise<void> {
    if (this.waits !== null || this.starting) return;
    this.starting = true;
    this.failure = null;
    const used = this.items;
    try {
      const dataset = await app.client.datasets.import({
        kind: 'import',
        name: this.name ?? this.suggestion,
        sources: this.#readable.flatMap((item) => sourceOf(item)),
        clean: cleaningOf($state.snapshot(this.clean)),
        validation: this.validation,
      });
      app.datasets.put(dataset);
      this.items = this.items.filter(({ key }) => !used.some((item) => item.key === key));
      this.#reset();
      goTo({ page: 'teach', datasetId: dataset.id });
    } catch (thrown) {
      this.failure = this.#failure(thrown);
    } finally {
      this.starting = false;
    }
  }

  #reset(): void {
    this.name = null;
    this.failure = null;
  }

  #add(label: string, history: HistoryChoice | null = null): number {
    const key = ++this.#key;
    const fresh = { key, label, history, copied: null, path: null, source: null, failure: null };
    const answers: Answers = { me: null, columns: null, dates: null };
    this.items = [...this.items, { ...fresh, ...answers, stop: new AbortController() }];
    return key;
  }

  /** Where the browser tells no paths, the bytes are sent. */
  async #take(key: number, { name, path, files }: Dropped): Promise<void> {
    const item = this.#find(key);
    if (!item) return;
    if (path !== null) return this.#inspect(key, path);
    const { signal } = item.stop;
    this.#change(key, { copied: 0 });
    try {
      const found = await files();
      if (found.length === 0) throw new Error(t('datasets.nothingIn'));
      const group = { name, files: found };
      const onProgress = (copied: number) => this.#change(key, { copied });
      const kept = await sendTo(app.client.datasets, app.client, group, { signal, onProgress });
      this.#change(key, { copied: null });
      if (kept !== null) await this.#inspect(key, kept);
    } catch (thrown) {
      if (!signal.aborted) this.#change(key, { copied: null, failure: this.#failure(thrown) });
    }
  }

  async #inspect(key: number, path: string): Promise<void> {
    this.#change(key, { path });
    const item = this.#find(key);
    if (!item) return;
    const { stop, dates } = item;
    try {
      const source = await app.client.datasets.inspect({ path, dates }, { signal: stop.signal });
      const known = [...this.items.map(({ me }) => me), recall('me')];
      this.#change(key, { source, me: probableMe(source, known) });
    } catch (thrown) {
      if (!stop.signal.aborted) this.#change(key, { failure: this.#failure(thrown) });
    }
  }

  /** What went wrong, with the names that a person knows things by, instead of where Puna keeps them. */
  #failure(thrown: unknown): FailureWords {
    return this.named(failureText(thrown));
  }

  /** The same for any failure. */
  named(words: FailureWords): FailureWords {
    return named(words, this.items);
  }

  #find(key: number): BenchItem | undefined {
    return this.items.find((item) => item.key === key);
  }

  #change(key: number, patch: Partial<BenchItem>): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, ...patch } : item));
  }
}

export const bench = new ImportBench();

function sourceOf(item: BenchItem): ImportSource[] {
  const { history, path } = item;
  if (history) return [{ from: 'history', ...history }];
  return path === null ? [] : [fileSource(path, item)];
}
