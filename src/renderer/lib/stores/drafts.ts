import { recall, remember } from '../remembered.ts';

/** As many unsent texts as are kept; beyond that, the oldest is surely forgotten by its writer too. */
const most = 100;

/** What was written in each conversation and not sent. It outlives a reload, an update and a crash. */
export class Drafts {
  readonly #texts: Map<string, string>;

  constructor() {
    this.#texts = new Map(read());
  }

  /** 0: of the conversation that has not begun. */
  get(conversationId: number): string {
    return this.#texts.get(String(conversationId)) ?? '';
  }

  set(conversationId: number, text: string): void {
    this.#texts.delete(String(conversationId));
    if (text !== '') this.#texts.set(String(conversationId), text);
    const kept = [...this.#texts].slice(-most);
    remember('drafts', kept.length === 0 ? null : JSON.stringify(kept));
  }

  /** The conversation that had not begun has begun: what is being written belongs to it now. */
  begin(conversationId: number): void {
    this.set(conversationId, this.get(0));
    this.set(0, '');
  }
}

function read(): [string, string][] {
  try {
    const kept: unknown = JSON.parse(recall('drafts') ?? '[]');
    if (!Array.isArray(kept)) return [];
    return kept.filter(
      (entry): entry is [string, string] =>
        Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string',
    );
  } catch {
    return [];
  }
}
