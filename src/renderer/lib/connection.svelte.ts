import { createORPCClient, DynamicLink } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import type { contract } from '../../shared/contract/index.ts';
import type { Desktop } from '../../shared/desktop.ts';

declare global {
  interface Window {
    /** Given by the preload script, in the Electron shell alone. */
    puna?: Desktop;
  }
}

export type Client = ContractRouterClient<typeof contract>;

/** How long to wait before the next try, in milliseconds; the last value repeats. */
const retryAfter = [200, 500, 1000, 2000];

/** Thrown by every call while there is no connection. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** The way to the main process: a port in the desktop window, a WebSocket in the browser, opened anew when it breaks. */
export class Connection {
  /** Tries that failed since it last stood. */
  failures = $state(0);
  #link: SocketLink<Record<never, never>> | PortLink<Record<never, never>> | undefined;
  #closed = new AbortController();

  readonly client: Client = createORPCClient(
    new DynamicLink(() => {
      if (!this.#link || this.#closed.signal.aborted) throw new Disconnected();
      return this.#link;
    }),
  );

  /** Aborted when the connection of now has broken. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Opens it, trying again until it stands. */
  async open(): Promise<void> {
    if (window.puna) return this.#openPort();
    for (;;) {
      try {
        await this.#openSocket();
        this.failures = 0;
        return;
      } catch {
        const rest = retryAfter[Math.min(this.failures, retryAfter.length - 1)] ?? 0;
        this.failures++;
        await restOrReturn(rest);
      }
    }
  }

  #openPort(): void {
    const { port1, port2 } = new MessageChannel();
    window.postMessage('puna:connect', location.origin, [port2]);
    this.#link = new PortLink({ port: port1 });
    port1.start();
    this.#closed = new AbortController();
  }

  #openSocket(): Promise<void> {
    const { protocol, host } = location;
    const socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`);
    const closed = new AbortController();
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => {
        this.#link = new SocketLink({ websocket: socket });
        this.#closed = closed;
        resolve();
      });
      socket.addEventListener('close', () => {
        closed.abort();
        reject(new Disconnected());
      });
    });
  }
}

/** Waits that many milliseconds, less when the person comes back to the page or the computer wakes up. */
function restOrReturn(milliseconds: number): Promise<void> {
  const over = new AbortController();
  return new Promise((resolve) => {
    const end = () => {
      over.abort();
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    addEventListener('focus', end, { signal: over.signal });
    addEventListener('online', end, { signal: over.signal });
  });
}
