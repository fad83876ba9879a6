import type { ConversationSummary } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';

const pageSize = 200;
/** The most that `conversations.list` gives at once. */
const largestPage = 500;

/** Which conversations are shown: all, those of a folder, or those that were archived. */
export interface ListFilter {
  archived: boolean;
  folderId: number | null;
}

/** What is asked of the program. */
interface ListClient {
  conversations: Pick<Client['conversations'], 'list'>;
}

/** The conversations of the sidebar as far as they are loaded: pinned first, then by last change. */
export class ConversationList {
  items = $state.raw<ConversationSummary[]>([]);
  loaded = $state(false);
  archived = $state(false);
  folderId = $state<number | null>(null);
  #cursor = $state<string | null>(null);
  /** A further page of what is shown, which is on its way. */
  #more: Promise<void> | null = null;
  /** Only the newest load counts: an older answer may be of another folder. */
  #load = 0;
  readonly #client: ListClient;

  constructor(client: ListClient) {
    this.#client = client;
  }

  get hasMore(): boolean {
    return this.#cursor !== null;
  }

  /** Loads what is shown anew, as far as it was loaded and one answer holds. */
  async reload(): Promise<void> {
    const load = ++this.#load;
    // Nobody waits for a page that does not count any more.
    this.#more = null;
    const limit = Math.min(largestPage, Math.max(pageSize, this.items.length));
    const page = await this.#client.conversations.list({ ...this.#filter(), cursor: null, limit });
    if (load !== this.#load) return;
    this.items = page.conversations;
    this.#cursor = page.cursor;
    this.loaded = true;
  }

  loadMore(limit = pageSize): Promise<void> {
    if (this.#more) return this.#more;
    const more = this.#loadPage(limit).finally(() => {
      if (this.#more === more) this.#more = null;
    });
    this.#more = more;
    return more;
  }

  /** Loads all that there is of what is shown, for whoever wants to see its end. */
  async loadAll(): Promise<void> {
    const { archived, folderId } = this;
    const isShown = () => archived === this.archived && folderId === this.folderId;
    while (isShown() && this.hasMore) await this.loadMore(largestPage);
  }

  async #loadPage(limit: number): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === null) return;
    const load = this.#load;
    const page = await this.#client.conversations.list({ ...this.#filter(), cursor, limit });
    // What was loaded anew meanwhile may end elsewhere.
    if (load !== this.#load || cursor !== this.#cursor) return;
    // A conversation that moved up meanwhile may come a second time.
    const byId = Object.fromEntries([...page.conversations, ...this.items].map((item) => [item.id, item]));
    this.items = Object.values(byId).sort(inOrder);
    this.#cursor = page.cursor;
  }

  async show(filter: ListFilter): Promise<void> {
    this.archived = filter.archived;
    this.folderId = filter.folderId;
    this.items = [];
    this.#cursor = null;
    this.loaded = false;
    await this.reload();
  }

  /** Takes in one that was made or changed. */
  put(conversation: ConversationSummary): void {
    const others = this.items.filter(({ id }) => id !== conversation.id);
    const belongs =
      conversation.archived === this.archived &&
      (this.folderId === null || conversation.folderId === this.folderId);
    this.items = belongs ? [...others, conversation].sort(inOrder) : others;
  }

  remove(conversationId: number): void {
    this.items = this.items.filter(({ id }) => id !== conversationId);
  }

  #filter(): { archived: boolean; folderId?: number } {
    return { archived: this.archived, ...(this.folderId !== null && { folderId: this.folderId }) };
  }
}

/** As `conversations.list` orders them. */
function inOrder(one: ConversationSummary, other: ConversationSummary): number {
  return Number(other.pinned) - Number(one.pinned) || other.updatedAt - one.updatedAt || other.id - one.id;
}
