import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Serves one file on loopback, with ranges, and prints its address: a process of its own, so that it costs whoever downloads nothing but
 * a core. With a number of bytes per second, all connections together get no more than that.
 *
 *     node bench/download-server.ts FILE [BYTES-PER-SECOND]
 */
const [file = '', rate = 'Infinity'] = process.argv.slice(2);
const bytesPerMs = Number(rate) / 1000;
/** As much as a line at that speed brings between two ticks of a timer; without a limit, few calls of the system. */
const pieceBytes = bytesPerMs === Infinity ? 1024 * 1024 : 64 * 1024;
/** What a timer is late is made up for, but no line brings at once what it has not brought for longer. */
const mostLateMs = 10;
const { size } = await stat(file);

const server = createServer(({ headers }, response) => {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  const start = Number(asked?.[1] ?? 0);
  const end = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1;
  response.writeHead(asked ? 206 : 200, {
    ...{ etag: '"bench"', 'accept-ranges': 'bytes', 'content-length': end - start + 1 },
    ...(asked && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  const pieces = createReadStream(file, { start, end, highWaterMark: pieceBytes });
  // Whoever hangs up early has what they want.
  (bytesPerMs === Infinity ? pipeline(pieces, response) : pipeline(pieces, paced, response)).catch(
    () => undefined,
  );
});

/** When the line will have brought all that was given to it, in ms as `performance.now()` has them. */
let freeAt = 0;

async function* paced(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    freeAt = Math.max(freeAt, performance.now() - mostLateMs) + piece.length / bytesPerMs;
    const early = freeAt - performance.now();
    if (early > 1) await wait(early);
    yield piece;
  }
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/model.gguf`);
});
