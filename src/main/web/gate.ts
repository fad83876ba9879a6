import type { IncomingMessage } from 'node:http';
import { loopbackHosts, sameSecret } from '../loopback/index.ts';

/**
 * Decides who may talk to the browser shell. Loopback alone protects little: any web page that the person visits can
 * reach 127.0.0.1 from their browser. So every request must name a loopback host (DNS rebinding arrives under a foreign
 * name), an Origin must be that of Puna's own page (a WebSocket, of which browsers always send it, must have one), and both
 * must know the token, which travels once in the link that Puna prints and from then on in a cookie that scripts cannot read.
 */
export class Gate {
  readonly #token: string;
  readonly #port: number;

  constructor(token: string, port: number) {
    this.#token = token;
    this.#port = port;
  }

  /** Cookies ignore ports: without it in the name, two Punas would overwrite each other's. */
  get #cookieName(): string {
    return `puna-${this.#port}`;
  }

  get cookie(): string {
    return `${this.#cookieName}=${this.#token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`;
  }

  /** The link that lets a browser in. */
  get link(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#token}`;
  }

  hostAllowed(request: IncomingMessage): boolean {
    return this.#hosts.includes(request.headers.host ?? '');
  }

  originAllowed(request: IncomingMessage): boolean {
    return this.#hosts.some((host) => request.headers.origin === `http://${host}`);
  }

  hasCookie(request: IncomingMessage): boolean {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
    const prefix = `${this.#cookieName}=`;
    return cookies.some((cookie) => cookie.startsWith(prefix) && this.#isToken(cookie.slice(prefix.length)));
  }

  /** Whether the address itself carries the token, as the printed link does. */
  hasTokenInAddress(request: IncomingMessage): boolean {
    return this.#isToken(addressOf(request).searchParams.get('token') ?? '');
  }

  get #hosts(): string[] {
    return loopbackHosts(this.#port);
  }

  #isToken(candidate: string): boolean {
    return sameSecret(candidate, this.#token);
  }
}

/** The address that a request asks for; its host is not to be trusted. */
export function addressOf(request: IncomingMessage): URL {
  return URL.parse(request.url ?? '/', 'http://localhost') ?? new URL('http://localhost/');
}
