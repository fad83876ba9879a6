import type { Events } from '../events.ts';
import type { History } from '../history/index.ts';
import type { ModelHost } from './model-host.ts';
import { promptTurns } from './prompt.ts';

/** As much of the first message as serves for a title until the model finds a better one. */
const provisionalTitleLength = 60;

/** Names conversations: at once by their first words, and by the model when it has nothing else to do. */
export class Titles {
  readonly #history: History;
  readonly #events: Events;
  readonly #host: ModelHost;
  /** Conversations whose title is their first words. A person's own title, given meanwhile, is left alone. */
  readonly #provisional = new Map<number, string>();
  #naming: AbortController | null = null;

  constructor({ history, events, host }: { history: History; events: Events; host: ModelHost }) {
    this.#history = history;
    this.#events = events;
    this.#host = host;
  }

  /** Gives a conversation without a title its first words. `forGood`: no model is asked for a better one. */
  begin(conversationId: number, text: string, { forGood }: { forGood: boolean }): void {
    if (this.#history.conversations.get(conversationId).title !== '') return;
    const title = firstWords(text);
    if (title === '') return;
    if (!forGood) this.#provisional.set(conversationId, title);
    this.#rename(conversationId, title);
  }

  /** To be called when the queue is empty; ends early when `interrupt` is called. */
  async whenIdle(): Promise<void> {
    if (!this.#history.settings.get().automaticTitles) return this.#provisional.clear();
    for (const [conversationId, provisional] of this.#provisional) {
      this.#naming = new AbortController();
      const { signal } = this.#naming;
      const title = await this.#ask(conversationId, signal).catch(() => null);
      if (signal.aborted) return;
      this.#provisional.delete(conversationId);
      if (title && this.#titleOf(conversationId) === provisional) this.#rename(conversationId, title);
    }
    this.#naming = null;
  }

  /** A reply is wanted: titles can wait. */
  interrupt(): void {
    this.#naming?.abort();
    this.#naming = null;
  }

  async #ask(conversationId: number, signal: AbortSignal): Promise<string | null> {
    const { leafId } = this.#history.conversations.get(conversationId);
    if (leafId === null || this.#host.status.state !== 'ready') return null;
    const beginning = this.#history.messages.branch(leafId).slice(0, 2);
    return this.#host.title(promptTurns(beginning), signal);
  }

  /** Null when the conversation has been deleted. */
  #titleOf(conversationId: number): string | null {
    try {
      return this.#history.conversations.get(conversationId).title;
    } catch {
      return null;
    }
  }

  #rename(conversationId: number, title: string): void {
    const conversation = this.#history.conversations.update(conversationId, { title });
    this.#events.publish({ type: 'conversation', conversation });
  }
}

/** The first line, cut at a word. */
function firstWords(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.trim() ?? '';
  if (line.length <= provisionalTitleLength) return line;
  const cut = line.slice(0, provisionalTitleLength);
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > provisionalTitleLength / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
