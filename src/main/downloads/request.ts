import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PunaError } from '../../shared/error.ts';
import { agentFor } from './agents.ts';
import { NetworkError, networkError } from './network-error.ts';

export interface RequestOptions {
  /** For every server that a redirect leads to. */
  headers?: Readonly<Record<string, string>>;
  /** For the origin of the address alone, such as a token: a redirect never carries them elsewhere. */
  privateHeaders?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** How long a server may take until its answer begins, in ms. */
  answerWithinMs?: number;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  body: IncomingMessage;
  /** Where redirects have led. */
  url: URL;
}

/** Hubs answer within a second; one that is woken up, within some. */
const usualPatienceMs = 30_000;
/** As many as curl and browsers about halve of: hubs need one or two. */
const mostRedirects = 10;
const redirecting = [301, 302, 303, 307, 308];

/**
 * Asks for an address (GET), follows redirects, and gives the answer, whatever its status. Errors: `NetworkError` (no connection, no answer, a
 * certificate, redirects without end or to what is no server), `invalid-input` (no address), an abort.
 */
export async function request(address: string | URL, options: RequestOptions = {}): Promise<Answer> {
  const first = parsed(address);
  let url = first;
  let isOwn = true;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await ask(url, options, isOwn);
    const { location } = answer.headers;
    if (!redirecting.includes(answer.status) || location === undefined) return answer;
    // Read to its end, so that the connection can be used again; its few words say nothing.
    // Nobody reads it, and it might have no end.
    answer.body.on('error', () => undefined).destroy();
    const next = URL.parse(location, url.href);
    if (!next || !isWeb(next) || (url.protocol === 'https:' && next.protocol === 'http:')) {
      throw wrongAnswer(`${url.host} redirects to ${shown(next, location)}, which is not safe to follow.`);
    }
    isOwn &&= next.origin === first.origin;
    url = next;
  }
  throw wrongAnswer(`${first.host} redirects without end.`);
}

function ask(url: URL, options: RequestOptions, isOwn: boolean): Promise<Answer> {
  const { headers, privateHeaders, signal, answerWithinMs = usualPatienceMs } = options;
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const asked = send(url, {
      agent: agentFor(url),
      headers: {
        'accept-encoding': 'identity',
        'user-agent': 'Puna',
        ...headers,
        ...(isOwn && privateHeaders),
      },
      ...(signal && { signal }),
    });
    const timer = setTimeout(() => asked.destroy(noAnswer(url, answerWithinMs)), answerWithinMs);
    asked.on('response', (body) => {
      clearTimeout(timer);
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url });
    });
    asked.on('error', (thrown) => {
      clearTimeout(timer);
      reject(networkError(thrown, url.host) as Error);
    });
    asked.end();
  });
}

function parsed(address: string | URL): URL {
  const url = URL.parse(String(address));
  if (url && isWeb(url)) return url;
  throw new PunaError(
    'invalid-input',
    `${String(address)} is not the address of a server.`,
    'It begins with https:// or http://.',
  );
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

function shown(url: URL | null, location: string): string {
  return url && isWeb(url) ? url.origin : JSON.stringify(location.slice(0, 100));
}

function noAnswer({ host }: URL, ms: number): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} did not answer for ${Math.ceil(ms / 1000)} seconds.`,
    'Try again later; what has arrived is kept.',
    { again: true },
  );
}

function wrongAnswer(sentence: string): NetworkError {
  return new NetworkError('wrong-answer', sentence, 'Check the address, or use another server.');
}
