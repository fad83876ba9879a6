import type { QueueEntry } from '../../shared/contract/index.ts';

/** A reply to be made. */
export interface Request {
  messageId: number;
  conversationId: number;
  /** Aborted when the person stops the reply. */
  controller: AbortController;
  state: QueueEntry['state'];
  progress: number | null;
}

/**
 * Whose turn it is. One reply is made at a time, because a second one would halve the speed of both and evict the other's
 * context; conversations take turns, so that one that asks three things does not keep another waiting for all three.
 */
export class FairQueue {
  /** In the order in which they came. */
  readonly #waiting: Request[] = [];
  #running: Request | null = null;
  /** At work without a turn: a server makes them. */
  readonly #beside = new Set<Request>();
  /** Turn number at which each conversation was last served. Only those that wait matter, so it stays small. */
  readonly #lastTurn = new Map<number, number>();
  #turns = 0;

  get running(): Request | null {
    return this.#running;
  }

  /** No one runs or waits for a turn. */
  get idle(): boolean {
    return this.#running === null && this.#waiting.length === 0;
  }

  add(request: Request): void {
    this.#waiting.push(request);
  }

  /** One that takes no turn, because it is made elsewhere; it runs at once. */
  addBeside(request: Request): void {
    this.#beside.add(request);
  }

  find(messageId: number): Request | undefined {
    return this.#all().find((request) => request.messageId === messageId);
  }

  ofConversation(conversationId: number): Request[] {
    return this.#all().filter((request) => request.conversationId === conversationId);
  }

  /** Takes out one that still waits; false if it is running or unknown. */
  withdraw(messageId: number): boolean {
    const at = this.#waiting.findIndex((request) => request.messageId === messageId);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    return true;
  }

  /** The next one to run, if none is running. */
  start(): Request | null {
    if (this.#running) return null;
    const next = this.#order()[0];
    if (!next) return null;
    this.withdraw(next.messageId);
    this.#lastTurn.set(next.conversationId, ++this.#turns);
    this.#running = next;
    return next;
  }

  finish(request: Request): void {
    if (this.#beside.delete(request)) return;
    if (this.#running === request) this.#running = null;
    if (this.idle) this.#lastTurn.clear();
  }

  /** The running one first, then the others in the order in which their turns will come, and those that take none. */
  entries(): QueueEntry[] {
    const ordered = this.#running ? [this.#running, ...this.#order()] : this.#order();
    return [...ordered, ...this.#beside].map(({ messageId, conversationId, state, progress }) => ({
      messageId,
      conversationId,
      state,
      progress,
    }));
  }

  #all(): Request[] {
    const running = this.#running ? [this.#running] : [];
    return [...running, ...this.#waiting, ...this.#beside];
  }

  /** Simulates the turns to come: always the conversation served longest ago, among equals the request that came first. */
  #order(): Request[] {
    const left = [...this.#waiting];
    const lastTurn = new Map(this.#lastTurn);
    const ordered: Request[] = [];
    let turn = this.#turns;
    for (;;) {
      const next = left.reduce<Request | null>((best, request) => {
        const served = lastTurn.get(request.conversationId) ?? 0;
        const bestServed = best ? (lastTurn.get(best.conversationId) ?? 0) : Infinity;
        return served < bestServed ? request : best;
      }, null);
      if (!next) return ordered;
      left.splice(left.indexOf(next), 1);
      lastTurn.set(next.conversationId, ++turn);
      ordered.push(next);
    }
  }
}
