import { download } from '../src/main/downloads/index.ts';

/**
 * Downloads a file as Puna does and prints the seconds from the first request until the file has its name.
 *
 *     node bench/download-puna.ts URL OUT SHA256|- CONNECTIONS
 */
const [url = '', out = '', sha256 = '-', connections = '4'] = process.argv.slice(2);
const begin = performance.now();
await download({
  ...{ url, out, connections: Number(connections) },
  digest: sha256 === '-' ? null : { sha256 },
});
console.log((performance.now() - begin) / 1000);
process.exit();
