import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Serves one file on loopback, with ranges, and prints its address: a process of its own, so that it costs whoever downloads nothing but
 * a core.
 *
 *     node bench/download-server.ts FILE
 */
const [file = ''] = process.argv.slice(2);
const { size } = await stat(file);

const server = createServer(({ headers }, response) => {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  const start = Number(asked?.[1] ?? 0);
  const end = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1;
  response.writeHead(asked ? 206 : 200, {
    ...{ etag: '"bench"', 'accept-ranges': 'bytes', 'content-length': end - start + 1 },
    ...(asked && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  createReadStream(file, { start, end, highWaterMark: 1024 * 1024 })
    .on('error', () => response.destroy())
    .pipe(response);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/model.gguf`);
});
