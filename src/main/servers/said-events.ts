import { createParser } from 'eventsource-parser';
import { NetworkError } from '../downloads/index.ts';
import { type AskedServer, brokenOff, notApi, parseJson, type Wish } from './failures.ts';
import { type Said, saidBy } from './said.ts';

/** Longer than what any model writes between two tokens; whoever sends more in one event is no such server. */
const longestEvent = 4 * 1024 * 1024;

/** A reply that comes as server-sent events, read as far as it has come. */
export class SaidEvents {
  /** That had something in them. */
  count = 0;
  /** The reply has said why it ends. */
  isFinished = false;
  /** Nothing more will come. */
  isDone = false;
  readonly #server: AskedServer;
  readonly #wish: Wish;
  readonly #onSaid: (said: Said) => void;
  #failure: NetworkError | null = null;
  #ended = false;
  readonly #parser = createParser({
    onEvent: ({ data }) => this.#take(data),
    // What llama-server long sent where a reply failed: a field `error`.
    onError: ({ type: kind, field, value }) => {
      if (kind === 'unknown-field' && field === 'error') this.#take(`{"error":${value ?? 'null'}}`);
      if (kind === 'max-buffer-size-exceeded') this.#failure = notApi(this.#server, '');
    },
    maxBufferSize: longestEvent,
  });

  constructor(server: AskedServer, { wish, onSaid }: { wish: Wish; onSaid: (said: Said) => void }) {
    this.#server = server;
    this.#wish = wish;
    this.#onSaid = onSaid;
  }

  /** The server has told of a failure, or said what is no reply. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Takes what has come, wherever the network has cut it. Errors: `NetworkError` (a failure of the server, no piece of a reply). */
  add(text: string): void {
    this.#parser.feed(text);
    if (this.#failure) throw this.#failure;
  }

  /** Nothing more comes. Errors: as those of `add`, and that of a reply that broke off. */
  end(): void {
    this.#ended = true;
    // The last event of some has no empty line behind it.
    this.add('\n\n');
    // Some end without a word of it; a reply that has not said why it ends is not whole.
    if (!this.isFinished && !this.isDone) throw brokenOff(this.#server);
  }

  #take(data: string): void {
    // Some keep the connection awake with empty events.
    if (this.isDone || this.#failure || data.trim() === '') return;
    if (data.trim() === '[DONE]') return void (this.isDone = true);
    // Half an event at the end is no failure of its own: the reply broke off there.
    if (this.#ended && parseJson(data) === undefined) return;
    this.count++;
    try {
      const said = saidBy(data, this.#server, this.#wish);
      this.isFinished ||= said.finish !== null;
      this.#onSaid(said);
    } catch (thrown) {
      if (!(thrown instanceof NetworkError)) throw thrown;
      this.#failure = thrown;
    }
  }
}
