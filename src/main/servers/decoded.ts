import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { type AskedServer, notDecodable } from './failures.ts';

/** Whatever has come so far is given out, so that a reply shows word by word; a break is told by what is missing, not by zlib. */
const zlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const brotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
};
const zstdOptions = { flush: constants.ZSTD_e_flush, finishFlush: constants.ZSTD_e_flush };

const decoders = new Map<string, () => Transform>([
  ['gzip', () => createGunzip(zlibOptions)],
  ['x-gzip', () => createGunzip(zlibOptions)],
  ['deflate', () => new Deflated()],
  ['br', () => createBrotliDecompress(brotliOptions)],
  ['zstd', () => createZstdDecompress(zstdOptions)],
]);

/** Nobody encodes more often for a reason. */
const mostEncodings = 3;

/**
 * What a server has sent, as it was before it was compressed on its way. Puna asks for words as they are, but proxies in front of servers
 * compress all the same. Errors: `NetworkError` (an encoding that nobody here knows); one that is broken shows while it is read.
 */
export function decoded(answer: Readable & Pick<IncomingMessage, 'headers'>, server: AskedServer): Readable {
  const written = answer.headers['content-encoding'] ?? '';
  const encodings = written
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '' && word !== 'identity');
  if (encodings.length > mostEncodings) throw notDecodable(server, written);
  let body: Readable = answer;
  // The last one named was the last one applied.
  for (const encoding of encodings.toReversed()) {
    const decoder = decoders.get(encoding);
    if (!decoder) throw notDecodable(server, encoding);
    // An end of one side is one of the other; who reads is told of it.
    body = pipeline(body, decoder(), () => undefined);
  }
  return body;
}

/** Whether what was thrown says that compressed bytes are none. */
export function isGarbled(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !('code' in thrown)) return false;
  return typeof thrown.code === 'string' && /^(Z_|ZSTD_|ERR__ERROR)/.test(thrown.code);
}

/** What HTTP calls deflate begins with a header of zlib (RFC 9110, 8.4.1.2); some servers leave that out. */
class Deflated extends Transform {
  #inner: Transform | null = null;

  override _transform(bytes: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    this.#inner ??= this.#begin(bytes);
    this.#inner.write(bytes, encoding, done);
  }

  override _flush(done: TransformCallback): void {
    if (!this.#inner) return done();
    this.#inner.once('end', done).end();
  }

  #begin([first = 0]: Buffer): Transform {
    // The lower half of zlib's first byte says that deflate comes (RFC 1950, 2.2).
    const inner = (first & 0x0f) === 8 ? createInflate(zlibOptions) : createInflateRaw(zlibOptions);
    // A few bytes may stand for megabytes: no more of these are unpacked than are read.
    const give = (bytes: Buffer) => void (this.push(bytes) || inner.pause());
    return inner.on('data', give).on('error', (error) => this.destroy(error));
  }

  override _read(size: number): void {
    this.#inner?.resume();
    super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}
