import type { IncomingHttpHeaders } from 'node:http';
import { size } from '../weights/figures.ts';
import { NetworkError } from './network-error.ts';
import type { Answer } from './request.ts';
import { retryAfterMs } from './retry.ts';

/** What a server says of the bytes that it sends. */
export interface Sent {
  /** Position of the first one. */
  start: number;
  /** Of the last one, and one more; null where the server does not say. */
  end: number | null;
  /** Size of the whole file; null where the server does not say. */
  total: number | null;
  /** Whether it can send from the middle. */
  ranged: boolean;
}

/** Reads status and headers. `name`: of the file. Errors: `NetworkError` where this is not the file. */
export function sentBy({ status, headers, url }: Answer, name: string): Sent {
  const { host } = url;
  if (status !== 200 && status !== 206) throw statusError(status, headers, host, name);
  const isPage = headers['content-type']?.startsWith('text/html') && !/\.html?$/i.test(name);
  if (isPage) throw webPage(host, name);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw wrong(`${host} sends ${name} packed, though it was asked not to.`);
  }
  if (status === 200) {
    const total = numberOf(headers['content-length']);
    return { start: 0, end: total, total, ranged: false };
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  if (!range) throw wrong(`${host} does not say which part of ${name} it sends.`);
  const [start, last, total] = range.slice(1).map(Number);
  if (start === undefined || last === undefined || last < start) {
    throw wrong(`${host} does not say which part of ${name} it sends.`);
  }
  return {
    start,
    end: last + 1,
    total: total === undefined || Number.isNaN(total) ? null : total,
    ranged: true,
  };
}

/** A server that was asked for what is behind the file's end tells its size (416). */
export function totalOfRefusal({ status, headers }: Answer): number | null {
  if (status !== 416) return null;
  return numberOf(/^bytes \*\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]);
}

/** What tells this version of the file from another one; null where the server says nothing that is certain. */
export function validatorOf({ headers, url }: Answer): { origin: string; value: string } | null {
  const { etag, 'last-modified': date } = headers;
  // A weak one says that the meaning is the same, not the bytes.
  const value = etag !== undefined && !etag.startsWith('W/') ? etag : date;
  return value === undefined ? null : { origin: url.origin, value };
}

/** A failure that a status tells of. */
export function statusError(
  status: number,
  headers: IncomingHttpHeaders,
  host: string,
  name: string,
): NetworkError {
  const later = 'Try again later; what has arrived is kept.';
  if (status === 401 || status === 403) {
    return new NetworkError(
      'no-access',
      `${host} does not give ${name} to everybody.`,
      'Sign in there and accept its conditions, and give Puna a token of yours.',
    );
  }
  if (status === 404 || status === 410) {
    return new NetworkError(
      'not-found',
      `${host} has no file ${name}.`,
      'Check the name, or choose another one.',
    );
  }
  if (status === 429) {
    const retry = retryAfterMs(headers);
    const when = retry === undefined ? 'later' : `in ${Math.ceil(retry / 1000)} seconds`;
    return new NetworkError('rate-limited', `${host} has been asked too often.`, `Try again ${when}.`, {
      again: true,
      retryAfterMs: retry,
    });
  }
  if (status >= 500) {
    return new NetworkError('server-failed', `${host} has trouble of its own (status ${status}).`, later, {
      again: true,
      retryAfterMs: retryAfterMs(headers),
    });
  }
  return wrong(`${host} answers ${name} with the status ${status}.`);
}

export function webPage(host: string, name: string): NetworkError {
  return new NetworkError(
    'wrong-answer',
    `${host} answers with a web page instead of ${name}.`,
    'Open the address in a browser: the network may want you to sign in, or the server has moved.',
  );
}

export function anotherLength(host: string, name: string, said: number, wanted: number): NetworkError {
  return wrong(`${host} says that ${name} has ${exact(said)}, but it must have ${exact(wanted)}.`);
}

export function wrong(sentence: string): NetworkError {
  return new NetworkError('wrong-answer', sentence, 'Try again later, or use another server.');
}

function exact(bytes: number): string {
  return bytes < 10_000 ? `${bytes} bytes` : `${bytes} bytes (${size(bytes)})`;
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
