import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { agentFor, directAgentFor } from '../downloads/agents.ts';
import { placeOf } from '../../shared/server-address.ts';
import { NetworkError, networkError } from '../downloads/index.ts';
import { decoded, isGarbled } from './decoded.ts';
import {
  type AskedServer,
  endless,
  garbled,
  notHttp,
  redirected,
  stoodStill,
  unreached,
} from './failures.ts';

/** How long a server is waited for, in ms. */
export interface ServerPatience {
  /** Until there is a connection: a machine that is switched off never answers. */
  connectMs: number;
  /** Until its models are told: nothing has to be computed for that. */
  modelsMs: number;
  /** Until the first piece of a reply: a machine without a GPU loads a model and reads a long conversation for minutes. */
  firstPieceMs: number;
  /** Between one piece and the next: the slowest machines write a word in some seconds. */
  silenceMs: number;
}

export const usualServerPatience: ServerPatience = {
  connectMs: 10_000,
  modelsMs: 20_000,
  firstPieceMs: 600_000,
  silenceMs: 120_000,
};

export interface ServerRequest {
  path: string;
  /** As JSON; without one it is a GET. */
  body?: unknown;
  accept: string;
  signal?: AbortSignal | undefined;
  connectMs: number;
  /** Until the answer begins. */
  answerMs: number;
}

export interface ServerAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** As it was before it was compressed on its way. To be read to its end, or destroyed. */
  body: Readable;
}

const redirecting = [301, 302, 303, 307, 308];

/**
 * Asks a server, through proxies and with certificates as downloads do. Redirects are not followed: neither key nor conversation goes
 * anywhere but to the address that the person has given. Errors: `NetworkError`, an abort.
 */
export function askServer(server: AskedServer, request: ServerRequest): Promise<ServerAnswer> {
  const { path, body, accept, signal, connectMs, answerMs } = request;
  const url = new URL(`${server.address}${path}`);
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const asked = send(url, {
      // A proxy does not lead to this computer, and would only read along.
      agent: placeOf(url.hostname) === 'this-computer' ? directAgentFor(url) : agentFor(url),
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...{ accept, 'accept-encoding': 'identity', 'user-agent': 'Puna' },
        // A connection that is kept may be closed by the server just when it is used again.
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(server.key !== null && { authorization: `Bearer ${server.key}` }),
      },
      ...(signal && { signal }),
    });
    const connecting = setTimeout(() => asked.destroy(unreached(server, connectMs)), connectMs);
    const answering = setTimeout(() => asked.destroy(stoodStill(server, answerMs)), answerMs);
    const done = () => {
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    asked.on('socket', (socket) => {
      const connected = () => clearTimeout(connecting);
      const isSecure = socket instanceof TLSSocket;
      const isThere = !socket.connecting && !(isSecure && socket.getProtocol() === 'unknown');
      if (isThere) return connected();
      socket.once(isSecure ? 'secureConnect' : 'connect', connected);
    });
    asked.on('response', (answer) => {
      done();
      const { statusCode: status = 0, headers } = answer;
      if (redirecting.includes(status)) {
        answer.on('error', () => undefined).destroy();
        return reject(redirected(server, headers.location));
      }
      try {
        resolve({ status, headers, body: decoded(answer, server) });
      } catch (thrown) {
        answer.on('error', () => undefined).destroy();
        reject(reasonOf(thrown, server));
      }
    });
    asked.on('error', (thrown) => {
      done();
      reject(reasonOf(thrown, server));
    });
    // Whoever answers with another protocol (101) is closed without a word.
    asked.on('close', () => {
      done();
      reject(notHttp(server));
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What broke a connection, as a `NetworkError` where it is known. */
export function reasonOf(thrown: unknown, server: AskedServer): Error {
  if (isGarbled(thrown)) return garbled(server);
  const reason = networkError(thrown, server.host);
  if (reason instanceof NetworkError && reason.reason === 'unreachable') {
    return new NetworkError(
      reason.reason,
      reason.message,
      'Check that it runs, its address and the network.',
      {
        cause: thrown,
      },
    );
  }
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** An answer of a server is at most so long; a list of 10,000 models with all details is shorter. */
export const mostBytes = 16 * 1024 * 1024;

/** The whole of an answer as text. Errors: `NetworkError`, an abort. */
export async function textOf(answer: ServerAnswer, server: AskedServer, withinMs: number): Promise<string> {
  const { body } = answer;
  const timer = setTimeout(() => body.destroy(stoodStill(server, withinMs)), withinMs);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) throw endless(server);
      pieces.push(piece);
    }
  } catch (thrown) {
    throw reasonOf(thrown, server);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
