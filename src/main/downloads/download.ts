import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { whileLocked } from '../storage/resumable-lock.ts';
import type { BandwidthLimit } from './bandwidth.ts';
import { BegunFile, discardDownload } from './begun.ts';
import { checkSpace } from './disk-space.ts';
import { NetworkError } from './network-error.ts';
import { type RetryOptions, usualRetries } from './retry.ts';
import { type Patience, usualPatience } from './stall.ts';
import { Changed, Transfer } from './transfer.ts';
import { type Digest, expected, Verifier } from './verifier.ts';

export interface DownloadOptions {
  /** Where the file is: one address, or several of the same file, tried in their order. */
  url: string | readonly string[];
  /** Where it shall lie, in a folder that is there. */
  out: string;
  /** Its size in bytes, where that is known: a server that says otherwise is refused. */
  bytes?: number | null;
  /** Without one, only the size is certain. */
  digest?: Digest | null;
  /** For the host of the first address alone, such as a token. */
  headers?: Readonly<Record<string, string>>;
  /** How many stretches are fetched at once, where the server can send from the middle. */
  connections?: number;
  /** Whether another file of that name makes way, once this one is whole; without it, it is refused. */
  replaces?: boolean;
  /** May be shared by several downloads. */
  limiter?: BandwidthLimit | null;
  signal?: AbortSignal;
  /** Called after each piece, with the bytes that are there, and those of the whole file once that is known. */
  onProgress?: (bytes: number, total: number | null) => void;
  retries?: RetryOptions;
  patience?: Patience;
}

export interface Downloaded {
  bytes: number;
  /** Compared with what was asked for; null where nothing was. In hex. */
  digest: string | null;
  /** It was there before, and is the same. */
  wasThere: boolean;
}

/** Hubs give each connection a share of their bandwidth; more of them than this gain little and are unkind. */
export const usualConnections = 4;
/** A file that changes as often as this is being written. */
const mostChanges = 3;

/**
 * Downloads a file, so that it appears under its name only when it is whole and verified. What has arrived is kept hidden beside its place
 * when the signal is aborted, the line breaks or the process dies, and the next download of the same file goes on with it;
 * `discardDownload` removes it. What turns out to be another file is removed at once. Errors: `NetworkError`,
 * `disk-full`, `file-missing` (the folder), `already-running` (another process downloads the same), `invalid-input` (something else
 * has that name, or it cannot be written), an abort.
 */
export function download(options: DownloadOptions): Promise<Downloaded> {
  return whileLocked(options.out, () => downloadLocked(options)).catch((thrown: unknown) => {
    throw outError(thrown, options.out);
  });
}

async function downloadLocked(options: DownloadOptions): Promise<Downloaded> {
  const { out, digest = null, replaces = false, signal } = options;
  signal?.throwIfAborted();
  const there = await whatIsThere(out, digest, signal);
  if (there && there !== 'another') return there;
  if (there && !replaces) {
    throw new PunaError(
      'invalid-input',
      `${out} is there already${digest ? ', and is another file' : ''}.`,
      'Move it away, or choose another name.',
    );
  }
  const urls = typeof options.url === 'string' ? [options.url] : options.url;
  let failure: unknown = new PunaError('invalid-input', `There is no address for ${basename(out)}.`);
  for (const url of urls) {
    try {
      return await fromServer(url, url === urls[0] ? (options.headers ?? {}) : {}, options);
    } catch (thrown) {
      // Another server may have what this one has not; nothing else is better anywhere else.
      if (!(thrown instanceof NetworkError)) throw thrown;
      failure = thrown;
    }
  }
  throw failure;
}

/** Downloads from one server; anew where the file turns out to be another one than what was begun. */
async function fromServer(
  url: string,
  privateHeaders: Readonly<Record<string, string>>,
  options: DownloadOptions,
): Promise<Downloaded> {
  for (let changes = 0; changes <= mostChanges; changes++) {
    const done = await attempt(url, privateHeaders, options);
    if (done) return done;
  }
  throw new NetworkError(
    'wrong-answer',
    `${basename(options.out)} changes on ${new URL(url).host} while it is downloaded.`,
    'Try again later.',
  );
}

/** Null: what was begun belonged to another version or was damaged, and is gone. */
async function attempt(
  url: string,
  privateHeaders: Readonly<Record<string, string>>,
  { out, bytes = null, digest = null, ...options }: DownloadOptions,
): Promise<Downloaded | null> {
  const { connections = usualConnections, limiter = null, onProgress, signal } = options;
  const { retries = usualRetries, patience = usualPatience } = options;
  const name = basename(out);
  const file = await BegunFile.open(out, identityOf(url, bytes, digest));
  const verifier = new Verifier(file.path, digest, bytes);
  let isDone = false;
  try {
    const total = bytes ?? file.total;
    if (total !== null) await checkSpace(dirname(out), total - file.ranges.bytes, name);
    const onArrival = () => {
      verifier.advance(file.ranges.prefix);
      onProgress?.(file.ranges.bytes, file.total);
    };
    const transfer = new Transfer(file, {
      ...{ url, privateHeaders, name, folder: dirname(out), bytes, isVerified: digest !== null },
      ...{ connections, limiter, retries, patience, onArrival },
      signal: signal ?? new AbortController().signal,
    });
    await transfer.run();
    const whole = file.total ?? file.ranges.end;
    const found = await verifier.finish(whole, signal);
    signal?.throwIfAborted();
    if (digest && found !== expected(digest)) {
      const wasResumed = file.isResumed;
      await file.reset();
      // The bytes of an earlier time may be at fault.
      if (wasResumed) return null;
      throw anotherHash(new URL(url).host, name);
    }
    await file.finish();
    isDone = true;
    return { bytes: whole, digest: found, wasThere: false };
  } catch (thrown) {
    if (!(thrown instanceof Changed)) throw thrown;
    await verifier.stop();
    await file.reset();
    return null;
  } finally {
    await verifier.stop();
    if (!isDone) await leave(file, out);
  }
}

/** Keeps what has arrived; where nothing has, nothing is left behind. */
async function leave(file: BegunFile, out: string): Promise<void> {
  const isEmpty = file.ranges.bytes === 0;
  // What went wrong before says more than that the same disk does not take a journal.
  await file.close().catch(() => undefined);
  if (isEmpty) await discardDownload(out);
}

/** With a digest, bytes of any server are of use; without one, only those of the same address. */
function identityOf(url: string, bytes: number | null, digest: Digest | null): string {
  return digest ? `${expected(digest)} ${bytes ?? ''}` : url;
}

/** Whether there is something of that name, and whether it is the file that is wanted. */
async function whatIsThere(
  out: string,
  digest: Digest | null,
  signal: AbortSignal | undefined,
): Promise<Downloaded | 'another' | null> {
  const stats = await stat(out).catch(() => null);
  if (!stats) return null;
  if (digest && stats.isFile()) {
    const found = await new Verifier(out, digest, stats.size).finish(stats.size, signal);
    if (found === expected(digest)) return { bytes: stats.size, digest: found, wasThere: true };
  }
  return 'another';
}

function anotherHash(host: string, name: string): NetworkError {
  return new NetworkError(
    'wrong-answer',
    `What ${host} has sent is not ${name}: its hash is another one. It was removed.`,
    'Try again, or use another server; if it happens again, tell the owner of the file.',
  );
}

function outError(thrown: unknown, out: string): unknown {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  if (code !== 'ENOENT' && code !== 'file-missing') return fileError(thrown, out);
  return new PunaError(
    'file-missing',
    `The folder ${dirname(out)} is gone.`,
    'Connect the disk that it is on, or make the folder, and start the download again.',
    { cause: thrown },
  );
}
