import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import sirv from 'sirv';
import { PunaError } from '../../shared/error.ts';
import { listenOnLoopback } from '../loopback/index.ts';
import type { AppRouter } from '../rpc/router.ts';
import { WebSocketTransport } from '../rpc/websocket.ts';
import { contentSecurityPolicy } from './content-security-policy.ts';
import { addressOf, Gate } from './gate.ts';

export interface WebServerOptions {
  router: AppRouter;
  /** The built renderer. */
  folder: string;
  token: string;
  /** 0 takes any free one. */
  port: number;
}

export interface WebServer {
  port: number;
  /** What a person opens. */
  link: string;
  close(): Promise<void>;
}

const portRemedy = 'Choose another one with --port, or 0 for any free one.';

const securityHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The renderer's files and the contract on 127.0.0.1, for those whom the gate lets in. Errors: `file-missing` (it was not built), `port-in-use`. */
export async function startWebServer({ router, folder, token, port }: WebServerOptions): Promise<WebServer> {
  if (!existsSync(folder)) {
    throw new PunaError('file-missing', `There is no page in ${folder}.`, 'Build it: npm run build');
  }
  const files = sirv(folder, { etag: true, dev: false });
  const server = createServer();
  const gate = new Gate(token, await listenOnLoopback(server, port, portRemedy));
  const transport = new WebSocketTransport(router);

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    if (!gate.hostAllowed(request)) return refuse(response, 421, 'Puna answers only under 127.0.0.1.');
    if (request.headers.origin !== undefined && !gate.originAllowed(request)) {
      return refuse(response, 403, 'Puna answers only its own page.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, 405, 'Puna has only pages to be read here.');
    }
    if (gate.hasTokenInAddress(request)) {
      // Moves the token from the address, where history and screenshots show it, into the cookie.
      response.writeHead(302, { 'Set-Cookie': gate.cookie, Location: pathOf(request) });
      return response.end();
    }
    if (!gate.hasCookie(request)) {
      return refuse(response, 401, 'Please open Puna with the link that it printed when it started.');
    }
    return files(request, response, () => refuse(response, 404, 'There is no such page.'));
  });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const known = gate.hasCookie(request) || gate.hasTokenInAddress(request);
    if (
      addressOf(request).pathname !== '/rpc' ||
      !gate.hostAllowed(request) ||
      !gate.originAllowed(request) ||
      !known
    ) {
      return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    }
    return transport.accept(request, socket, head);
  });

  return {
    port: (server.address() as AddressInfo).port,
    link: gate.link,
    async close() {
      transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** With one slash at its beginning: two would name another host. */
function pathOf(request: IncomingMessage): string {
  return addressOf(request).pathname.replace(/^\/+/, '/');
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(sentence);
}
