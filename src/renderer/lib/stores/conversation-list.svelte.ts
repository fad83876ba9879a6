import type { ConversationSummary } from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';

const pageSize = 200;

/** The conversations of the sidebar as far as they are loaded: pinned first, then by last change. */
export class ConversationList {
  items = $state.raw<ConversationSummary[]>([]);
  loaded = $state(false);
  archived = $state(false);
  folderId = $state<number | null>(null);
  #cursor = $state<string | null>(null);
  #loading = false;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  get hasMore(): boolean {
    return this.#cursor !== null;
  }

  /** Loads the first page anew, and as many more as were there. */
  async reload(): Promise<void> {
    const limit = Math.min(500, Math.max(pageSize, this.items.length));
    const page = await this.#client.conversations.list({ ...this.#filter(), cursor: null, limit });
    this.items = page.conversations;
    this.#cursor = page.cursor;
    this.loaded = true;
  }

  async loadMore(): Promise<void> {
    if (this.#loading || this.#cursor === null) return;
    this.#loading = true;
    try {
      const page = await this.#client.conversations.list({
        ...this.#filter(),
        cursor: this.#cursor,
        limit: pageSize,
      });
      const known = new Set(this.items.map(({ id }) => id));
      this.items = [...this.items, ...page.conversations.filter(({ id }) => !known.has(id))].sort(inOrder);
      this.#cursor = page.cursor;
    } finally {
      this.#loading = false;
    }
  }

  async show(filter: { archived: boolean; folderId: number | null }): Promise<void> {
    this.archived = filter.archived;
    this.folderId = filter.folderId;
    this.items = [];
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

function inOrder(one: ConversationSummary, other: ConversationSummary): number {
  return Number(other.pinned) - Number(one.pinned) || other.updatedAt - one.updatedAt || other.id - one.id;
}
