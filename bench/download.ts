import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { median } from './median.ts';

/**
 * How fast Puna downloads: the same file from the same server on loopback through `download` and through curl, in turns, so that a busy
 * machine slows both; at that of a line of a gigabit, which is faster than most have, and at full speed, where no line but the processor
 * decides. Puna's time has everything in it: hashing, the journal, flushing, the name; curl's is what it tells itself (`time_total`) of
 * writing the file. Beside it curl with `sync` of the file, and with that and `sha256sum`, which is what a person would do to have what
 * Puna gives. Both lines must reach what is wanted of curl alone; the rest is there to say why one does not.
 *
 *     npm run bench:download -- [--megabytes N] [--rounds N] [--connections N] [--folder DIR]
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '4' },
    folder: { type: 'string', default: tmpdir() },
  },
});
/** Throughput for that of curl alone. */
const wanted = 0.8;
/** What does as much as Puna. */
const alike = 'curl, sync, sha256sum';
/** A second. */
const gigabitBytes = 125e6;

const folder = await mkdtemp(join(values.folder, 'puna-bench-'));
const source = join(folder, 'source');
const out = join(folder, 'out');
const sha256 = await makeFile(source, Number(values.megabytes) * 1e6);
try {
  const gigabit = await compare(
    'a line of a gigabit, 125 MB/s',
    [String(gigabitBytes)],
    ['curl', alike, 'Puna', 'Puna, one connection'],
  );
  const whole = await compare('loopback at full speed', []);
  for (const [line, { ofCurl, ofAlike }] of [
    ['a gigabit line', gigabit],
    ['loopback at full speed', whole],
  ] as const) {
    const verdict = ofCurl < wanted ? 'missed' : 'reached';
    console.log(
      `Throughput from ${line}, Puna : curl = ${ofCurl.toFixed(2)} (wanted: ≥ ${wanted}, ${verdict}); ` +
        `Puna : ${alike} = ${ofAlike.toFixed(2)}`,
    );
    if (ofCurl < wanted) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Downloads from a server of its own in all ways, or in those that are named, and prints how fast that was. Gives Puna's throughput for that of others. */
async function compare(
  line: string,
  limit: readonly string[],
  names?: readonly string[],
): Promise<{ ofCurl: number; ofAlike: number }> {
  const script = join(import.meta.dirname, 'download-server.ts');
  const server = spawn(process.execPath, [script, source, ...limit], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const ways = Object.entries(waysFrom(url)).filter(([name]) => names?.includes(name) ?? true);
    const rounds = new Map(ways.map(([name]) => [name, [] as number[]]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, measure] of ways) {
        rounds.get(name)?.push(Number(values.megabytes) / (await measure()));
        await rm(out, { force: true });
      }
    }
    /** Of each round its own ratio: what slows a round slows both. */
    const ratio = (speeds: readonly number[], of = 'curl') =>
      median(speeds.map((speed, round) => speed / (rounds.get(of)?.[round] ?? NaN)));
    console.log(`${values.megabytes} MB from ${line}; medians of ${values.rounds} rounds`);
    console.table(
      Object.fromEntries(
        [...rounds].map(([name, speeds]) => [
          name,
          {
            'MB/s': Math.round(median(speeds)),
            'of curl': Number(ratio(speeds).toFixed(2)),
            'best MB/s': Math.round(Math.max(...speeds)),
          },
        ]),
      ),
    );
    const puna = rounds.get('Puna') ?? [];
    return { ofCurl: ratio(puna), ofAlike: ratio(puna, alike) };
  } finally {
    server.kill();
  }
}

/** Each gives the seconds that it takes. */
function waysFrom(url: string): Record<string, () => Promise<number>> {
  const program = [process.execPath, join(import.meta.dirname, 'download-puna.ts'), url, out];
  const curl = ['curl', '--silent', '--show-error', '--output', out, '--write-out', '%{time_total}', url];
  return {
    curl: () => told(curl),
    'curl, sync': async () => (await told(curl)) + (await lasting(['sync', out])),
    [alike]: async () =>
      (await told(curl)) + (await lasting(['sync', out])) + (await lasting(['sha256sum', out])),
    Puna: () => told([...program, sha256, values.connections]),
    'Puna, one connection': () => told([...program, sha256, '1']),
    'Puna, without a hash': () => told([...program, '-', values.connections]),
  };
}

/** A file of random bytes; gives its hash. */
async function makeFile(path: string, bytes: number): Promise<string> {
  await using handle = await open(path, 'wx');
  const hash = createHash('sha256');
  for (let written = 0; written < bytes;) {
    const piece = randomFillSync(Buffer.allocUnsafe(Math.min(4_000_000, bytes - written)));
    hash.update(piece);
    await handle.writeFile(piece);
    written += piece.length;
  }
  await handle.sync();
  return hash.digest('hex');
}

/** Seconds, as a program tells them. */
async function told([program = '', ...words]: readonly string[]): Promise<number> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const said = await text(child.stdout);
  const [status] = (await closed) as [number | null];
  if (status !== 0) throw new Error(`${program} ended with the status ${status}.`);
  return Number(said);
}

/** Seconds that a program takes. */
async function lasting([program = '', ...words]: readonly string[]): Promise<number> {
  const begin = performance.now();
  const [status] = (await once(spawn(program, words, { stdio: 'ignore' }), 'close')) as [number | null];
  if (status !== 0) throw new Error(`${program} ended with the status ${status}.`);
  return (performance.now() - begin) / 1000;
}
