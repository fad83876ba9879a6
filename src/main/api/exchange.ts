import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';

/** Longer than any text that fits in a context; all of it is held in memory. */
const mostBytes = 32 * 1024 * 1024;

/** One request and its answer, whole or as a stream of events. */
export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();
  #streams = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on('close', () => this.#gone.abort());
    response.on('error', () => this.#gone.abort());
  }

  /** Aborted when whoever asked has left, or has their answer. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Something of the answer has been told. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Errors: an `ApiError` for what is too long or no JSON. */
  async body(): Promise<unknown> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this.#request as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > mostBytes) {
        throw new ApiError(413, `The request is longer than ${mostBytes / 1024 / 1024} MiB.`);
      }
      pieces.push(piece);
    }
    try {
      return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
    } catch {
      throw new ApiError(400, 'The request has no JSON that can be read.');
    }
  }

  /** The whole answer. */
  answer(value: unknown, status = 200): void {
    if (this.#gone.signal.aborted) return;
    this.#response.writeHead(status, { 'Content-Type': 'application/json' });
    this.#response.end(JSON.stringify(value));
  }

  /** One event of an answer that comes in pieces. */
  tell(event: unknown): void {
    if (this.#gone.signal.aborted) return;
    if (!this.#streams) {
      this.#streams = true;
      this.#response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    }
    this.#response.write(`data: ${JSON.stringify(event)}\n\n`);
  }

  /** The end of such an answer. */
  end(): void {
    this.#response.end('data: [DONE]\n\n');
  }

  /** A stream that has begun ends with the failure as its last event. */
  fail(thrown: unknown): void {
    if (this.#gone.signal.aborted) return;
    const error = ApiError.from(thrown);
    if (!this.#streams) {
      // Nobody reads the rest of the body.
      if (!this.#request.complete) this.#response.setHeader('Connection', 'close');
      return this.answer(error.body, error.status);
    }
    this.tell(error.body);
    this.#response.end();
  }
}
