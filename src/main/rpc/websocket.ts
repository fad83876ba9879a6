import { RPCHandler } from '@orpc/server/ws';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { uploadPieceBytes } from '../../shared/contract/index.ts';
import type { AppRouter } from './router.ts';

/** A message of 20 attachments of some megabytes each is the largest thing a page sends. */
const maxMessageBytes = 64 * uploadPieceBytes;

/** A connection that answers no ping for this long is gone (a closed laptop): its subscriptions are ended. */
const pingMilliseconds = 30_000;

/** The contract over WebSockets. The caller has already decided who may connect. */
export class WebSocketTransport {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  readonly #handler: RPCHandler<Record<never, never>>;

  constructor(router: AppRouter) {
    this.#handler = new RPCHandler(router);
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (connection) => {
      let alive = true;
      connection.on('pong', () => (alive = true));
      // Without a listener a protocol error (a message over the limit) would end the whole program.
      connection.on('error', () => connection.terminate());
      const pings = setInterval(() => {
        if (!alive) return connection.terminate();
        alive = false;
        connection.ping();
      }, pingMilliseconds);
      connection.on('close', () => clearInterval(pings));
      void this.#handler.upgrade(connection, { context: {} });
    });
  }

  close(): void {
    for (const connection of this.#server.clients) connection.terminate();
    this.#server.close();
  }
}
