import { tick } from 'svelte';
import type {
  Attachment,
  Conversation,
  ConversationPatch,
  PathMessage,
  PunaEvent,
} from '../../../shared/contract/index.ts';
import { type Branch, withMessage, withNewerPieces, withPiece } from '../branch.ts';
import type { Client } from '../connection.svelte.ts';

const pageSize = 100;
/** The most that `messages.path` gives at once. */
const largestPage = 1000;

/** The conversation in view: its branch as far as it is loaded, and what is being written to it. */
export class OpenConversation {
  readonly id: number;
  conversation = $state.raw<Conversation | null>(null);
  /** The branch in view, oldest first. */
  messages = $state.raw<PathMessage[]>([]);
  hasMore = $state(false);
  /** What it says is there: until then, neither messages nor their absence mean anything. */
  loaded = $state(false);
  /** A message that a search found, to be shown and marked. */
  found = $state<number | null>(null);
  readonly #client: Client;
  /** Only the newest load counts: an older answer may arrive later. */
  #load = 0;
  #changes = 0;
  #catchingUp = false;

  constructor(id: number, client: Client) {
    this.id = id;
    this.#client = client;
  }

  /** One that was made just now, and has nothing to be loaded. */
  static begun(conversation: Conversation, client: Client): OpenConversation {
    const begun = new OpenConversation(conversation.id, client);
    begun.conversation = conversation;
    begun.loaded = true;
    return begun;
  }

  /** Loads the end of the branch in view anew, as far as it was loaded. Errors: `not-found`. */
  async reload(): Promise<void> {
    const load = ++this.#load;
    const limit = Math.min(largestPage, Math.max(pageSize, this.messages.length));
    const [conversation, page] = await Promise.all([
      this.#client.conversations.get({ conversationId: this.id }),
      this.#client.messages.path({ conversationId: this.id, limit }),
    ]);
    if (load !== this.#load) return;
    this.conversation = conversation;
    this.messages = withNewerPieces(page.messages, this.messages);
    this.hasMore = page.hasMore;
    this.loaded = true;
  }

  /** Loads older messages of the branch. */
  async loadMore(): Promise<void> {
    const [first] = this.messages;
    if (!first || !this.hasMore) return;
    const load = this.#load;
    const page = await this.#client.messages.path({
      conversationId: this.id,
      before: first.id,
      limit: pageSize,
    });
    if (load !== this.#load || this.messages[0]?.id !== first.id) return;
    this.messages = [...page.messages, ...this.messages];
    this.hasMore = page.hasMore;
  }

  /** Changes it, in view at once; what could not be saved is taken back. */
  async change(patch: ConversationPatch): Promise<void> {
    const before = this.conversation;
    // While a slider is moved, the answers to earlier changes come in: only the last one counts.
    const change = ++this.#changes;
    if (before) this.conversation = { ...before, ...(patch as Partial<Conversation>) };
    try {
      const changed = await this.#client.conversations.update({ conversationId: this.id, patch });
      if (change === this.#changes) this.conversation = changed;
    } catch (thrown) {
      if (change === this.#changes) this.conversation = before;
      throw thrown;
    }
  }

  async send(text: string, attachments: Attachment[]): Promise<void> {
    const parentId = this.messages.at(-1)?.id ?? null;
    await this.#client.chat.send({ conversationId: this.id, parentId, text, attachments });
  }

  /** Sends a message again with another text, beside the old one; its files stay. */
  async edit(message: PathMessage, text: string): Promise<void> {
    const attachments = await Promise.all(
      message.attachments.map((_, index) =>
        this.#client.messages.attachment({ messageId: message.id, index }),
      ),
    );
    await this.#client.chat.send({ conversationId: this.id, parentId: message.parentId, text, attachments });
  }

  /** Shows the branch of a message. */
  async select(messageId: number): Promise<void> {
    await this.#client.messages.select({ messageId });
    await this.reload();
  }

  /** Shows a message that a search found, whichever branch it is on, and marks it. */
  async find(messageId: number): Promise<void> {
    await this.select(messageId);
    // The same message may be found a second time.
    this.found = null;
    await tick();
    this.found = messageId;
  }

  /** Takes in what the program tells. */
  apply(event: PunaEvent): void {
    if (event.type === 'conversation' && event.conversation.id === this.id) {
      this.conversation = event.conversation;
      // Another branch came into view, here or in another window.
      if (event.conversation.leafId !== (this.messages.at(-1)?.id ?? null)) this.#catchUp();
    }
    if (event.type === 'message' && event.message.conversationId === this.id) {
      this.#show(withMessage(this.messages, event.message));
    }
    if (event.type === 'delta' && event.conversationId === this.id) {
      this.#show(withPiece(this.messages, event));
    }
  }

  #show(branch: Branch | null): void {
    if (branch === null) this.#catchUp();
    else this.messages = branch as PathMessage[];
  }

  /** Loads what was missed, once for all events that ask for it meanwhile. If it fails, the next event asks again. */
  #catchUp(): void {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.reload()
      .catch(() => undefined)
      .finally(() => (this.#catchingUp = false));
  }
}
