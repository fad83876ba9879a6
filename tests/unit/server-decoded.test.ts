import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decoded } from '../../src/main/servers/decoded.ts';

const server = { address: 'http://127.0.0.1:1/v1', host: '127.0.0.1:1', key: null };
/** Compressed, it is less than what one read of a connection brings. */
const words = Buffer.alloc(4 * 1024 * 1024, 'Again. ');

const encodings: [string, string, (bytes: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['deflate', 'deflate', deflateSync],
  ['deflate without a header', 'deflate', deflateRawSync],
  ['br', 'br', brotliCompressSync],
  ['zstd', 'zstd', zstdCompressSync],
];

const opened = (bytes: Buffer, encoding: string) =>
  decoded(Object.assign(Readable.from([bytes]), { headers: { 'content-encoding': encoding } }), server);

/** Until nothing more has been unpacked for a while: zlib works in threads of its own. */
async function standsStill(body: Readable): Promise<void> {
  for (let turns = 0, before = -1; turns < 10; turns++) {
    if (body.readableLength !== before) turns = 0;
    before = body.readableLength;
    await setTimeout(5);
  }
}

describe('an answer that was compressed', () => {
  test.for(encodings)('by %s is unpacked no further than it is read', async ([, encoding, compress]) => {
    const body = opened(compress(words), encoding);
    await once(body, 'readable');
    await standsStill(body);
    expect(body.readableLength).toBeLessThan(words.length / 10);
    expect(Buffer.concat(await body.toArray()).equals(words)).toBe(true);
  });
});
