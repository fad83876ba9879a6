import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  discardDownload,
  download,
  downloadFolder,
  downloadSet,
  type DownloadOptions,
} from '../../src/main/downloads/index.ts';
import { type Fault, sha256, startFileServer, startHub, type StandInHub } from '../support/hub.ts';
import { seededRandom } from '../support/tiny-random.ts';

const megabyte = 1024 * 1024;
const id = 'someone/some-model-GGUF';
const file = 'model.Q4_K_M.gguf';
/** Large enough for several connections. */
const content = randomBytes(20 * megabyte + 12_345, 1);
const digest = { sha256: sha256(content) };
/** So that a test of failures takes no minutes. */
const hurried = { retries: { attempts: 2, firstPauseMs: 5 }, patience: { ms: 1500, bytes: 1000 } };

let folder: string;
let hub: StandInHub;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-downloads-'));
  hub = await startHub([{ id, files: { [file]: content, 'README.md': Buffer.from('# A model') } }]);
});
afterEach(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

const out = () => join(folder, file);
const address = (path = file) => `${hub.url}/${id}/resolve/main/${path}`;
const get = (options: Partial<DownloadOptions> = {}) =>
  download({ url: address(), out: out(), bytes: content.length, digest, ...hurried, ...options });
/** What the host of files was asked for, as positions. */
const askedRanges = () =>
  hub.seen.flatMap(({ server, range }) => {
    const found = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    return server === 'files' && found ? [[Number(found[1]), Number(found[2]) + 1] as const] : [];
  });
/** Without vitest's comparison, which takes seconds for megabytes. */
const isWhole = async () => (await readFile(out())).equals(content);

describe('A download', () => {
  test('arrives whole and verified over several connections, and leaves nothing else', async () => {
    const progress: number[] = [];
    const done = await get({ connections: 4, onProgress: (bytes) => progress.push(bytes) });
    expect(done).toEqual({ bytes: content.length, digest: digest.sha256, wasThere: false });
    expect(await isWhole()).toBe(true);
    expect(await readdir(folder)).toEqual([file]);
    expect(progress.at(-1)).toBe(content.length);
    expect(progress).toEqual(progress.toSorted((one, other) => one - other));
    const ranges = askedRanges().toSorted(([one], [other]) => one - other);
    expect(ranges.length).toBeGreaterThan(3);
    expect(ranges.map(([start]) => start).slice(1)).toEqual(ranges.map(([, end]) => end).slice(0, -1));
    // The hub itself is asked once.
    expect(hub.seen.filter(({ server }) => server === 'hub')).toHaveLength(1);
  });

  test('needs neither size nor digest beforehand', async () => {
    const done = await get({ bytes: null, digest: null });
    expect(done).toEqual({ bytes: content.length, digest: null, wasThere: false });
    expect(await isWhole()).toBe(true);
  });

  test.each([
    ['cannot send from the middle', { noRanges: true }],
    ['does not even say how long the file is', { noLength: true }],
  ])('comes in one stream from a server that %s', async (_, fault) => {
    hub.fault(file, fault);
    await get({ bytes: null });
    expect(await isWhole()).toBe(true);
    expect(hub.seen.filter(({ server }) => server === 'files')).toHaveLength(1);
  });

  test('may be empty', async () => {
    const server = await startFileServer((request, response) => {
      const isRanged = request.headers.range !== undefined;
      response.writeHead(isRanged ? 416 : 200, isRanged ? { 'content-range': 'bytes */0' } : {}).end();
    });
    const done = await download({ url: server.url, out: out(), ...hurried }).finally(() => server.close());
    expect(done.bytes).toBe(0);
    expect(await readFile(out(), 'utf8')).toBe('');
    const empty = sha256(Buffer.alloc(0));
    await download({
      url: 'http://127.0.0.1:1',
      out: join(folder, 'b'),
      bytes: 0,
      digest: { sha256: empty },
    });
    expect(await readdir(folder)).toEqual(['b', file]);
  });

  test('gives the token to the hub alone, and never to the host that it redirects to', async () => {
    hub.put({ id, files: { [file]: content }, gated: 'auto' });
    await get({ headers: { authorization: `Bearer ${hub.token}` } });
    const seen = (server: string) =>
      new Set(hub.seen.filter((each) => each.server === server).map(({ authorization }) => authorization));
    expect(seen('hub')).toEqual(new Set([`Bearer ${hub.token}`]));
    expect(seen('files')).toEqual(new Set([undefined]));
  });

  test('is stopped while it still hashes what is there', async () => {
    // Nothing but a hole, which takes no room, and minutes to read.
    await using hole = await open(out(), 'w');
    await hole.truncate(256 * 1024 ** 3);
    const stop = new AbortController();
    const stopped = get({ bytes: 256 * 1024 ** 3, signal: stop.signal });
    await wait(100);
    stop.abort();
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  test('is not made again where the file is there, and takes the place of no other one', async () => {
    await get();
    hub.seen.length = 0;
    expect(await get()).toMatchObject({ wasThere: true });
    expect(hub.seen).toEqual([]);
    await writeFile(out(), 'mine');
    await expect(get()).rejects.toMatchObject({
      code: 'invalid-input',
      message: `${out()} is there already, and is another file.`,
    });
    expect(await readFile(out(), 'utf8')).toBe('mine');
    await get({ replaces: true });
    expect(await isWhole()).toBe(true);
  });

  test('takes small files, which the hub keeps in git, by their blob', async () => {
    // printf '# A model' | git hash-object --stdin
    const card = { url: address('README.md'), out: join(folder, 'README.md'), bytes: 9 };
    const gitBlob = 'f5a1a0a3';
    await expect(download({ ...card, digest: { gitBlob }, ...hurried })).rejects.toThrow(
      'its hash is another one',
    );
    await download({ ...card, digest: { gitBlob: readmeBlob }, ...hurried });
    expect(await readFile(card.out, 'utf8')).toBe('# A model');
  });
});

const readmeBlob = '17f7db2225cff76b125bac0876e5f0c5054fa794';

describe('What is wrong with a server is said in a sentence, and what has arrived', () => {
  const host = () => new URL(hub.filesUrl).host;
  const nothing: string[] = [];
  const begun = [`.${file}.download`, `.${file}.download.journal`];
  const late = Math.floor(content.length * 0.99);

  const cases: [string, Fault, (host: string) => string, string[]][] = [
    [
      'a server that lies about the length',
      { total: content.length + 5 },
      (at) =>
        `${at} says that ${file} has ${content.length + 5} bytes (21 MB), but it must have ${content.length} bytes (21 MB).`,
      nothing,
    ],
    [
      'a server that sends more than it said',
      { more: 10, noRanges: true },
      (at) => `${at} sends more of ${file} than it said.`,
      begun,
    ],
    [
      'a server that always breaks off at 99 %',
      { dropAt: late },
      (at) => `The connection broke to ${at}.`,
      begun,
    ],
    ['a web page', { html: true }, (at) => `${at} answers with a web page instead of ${file}.`, nothing],
    [
      'other bytes',
      { bytes: randomBytes(content.length, 2) },
      () => `What ${new URL(hub.url).host} has sent is not ${file}: its hash is another one. It was removed.`,
      nothing,
    ],
    [
      'a server that stops sending',
      { stallAt: late },
      (at) => `${at} has sent next to nothing of ${file} for 2 seconds.`,
      begun,
    ],
    [
      'a server that is slow for ever',
      { trickleAt: late },
      (at) => `${at} has sent next to nothing of ${file} for 2 seconds.`,
      begun,
    ],
    [
      'one stream that breaks off again and again',
      { noRanges: true, dropAt: late },
      (at) => `The connection broke to ${at}.`,
      begun,
    ],
    [
      'a packed file',
      { packed: true },
      (at) => `${at} sends ${file} packed, though it was asked not to.`,
      nothing,
    ],
    ['a server with trouble', { status: 503 }, (at) => `${at} has trouble of its own (status 503).`, nothing],
    [
      'a server that was asked too often',
      { status: 429 },
      (at) => `${at} has been asked too often.`,
      nothing,
    ],
    [
      'a server that gives it to some',
      { status: 403 },
      (at) => `${at} does not give ${file} to everybody.`,
      nothing,
    ],
    ['a server that has it no more', { status: 404 }, (at) => `${at} has no file ${file}.`, nothing],
  ];
  test.each(cases)('%s', async (_, fault, sentence, left) => {
    hub.fault(file, fault);
    await expect(get()).rejects.toMatchObject({
      message: sentence(host()),
      remedy: expect.stringMatching(/.+\.$/) as string,
    });
    expect(await readdir(folder)).toEqual(left);
    // Afterwards the same download goes well, with or without what was left.
    hub.fault(file, null);
    hub.seen.length = 0;
    await get();
    expect(await isWhole()).toBe(true);
    expect(await readdir(folder)).toEqual([file]);
    const fetched = askedRanges().reduce((sum, [start, end]) => sum + end - start, 0);
    if (left.length > 0) expect(fetched).toBeLessThan(content.length / 2);
  });

  test('a file that changes all the time', async () => {
    let version = 0;
    const server = await startFileServer((request, response) => {
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const range = `bytes ${start}-${end}/${content.length}`;
      response.writeHead(206, { etag: `"${version++}"`, 'content-range': range });
      response.end(content.subarray(Number(start), Number(end) + 1));
    });
    await expect(get({ url: server.url }).finally(() => server.close())).rejects.toThrow(
      `${file} changes on ${new URL(server.url).host} while it is downloaded.`,
    );
    expect(existsSync(out())).toBe(false);
  });

  test('redirects to a page elsewhere, in a circle, and to what is no server', async () => {
    const elsewhere = await startFileServer((request, response) => {
      expect(request.headers.authorization).toBeUndefined();
      response.setHeader('content-type', 'text/html').end('<html>Welcome to the hotel</html>');
    });
    const withToken = { headers: { authorization: 'Bearer hf_secret' } };
    hub.fault(file, { redirect: `${elsewhere.url}/login` });
    await expect(get(withToken)).rejects.toThrow(
      `${new URL(elsewhere.url).host} answers with a web page instead of ${file}.`,
    );
    await elsewhere.close();
    hub.fault(file, { redirect: address() });
    await expect(get()).rejects.toThrow(`${new URL(hub.url).host} redirects without end.`);
    hub.fault(file, { redirect: 'file:///etc/passwd' });
    await expect(get()).rejects.toThrow(
      `${new URL(hub.url).host} redirects to "file:///etc/passwd", which is not safe to follow.`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('nobody there', async () => {
    await expect(get({ url: 'http://127.0.0.1:1/x' })).rejects.toThrow('No server answers at 127.0.0.1:1.');
    await expect(get({ url: 'http://nowhere.invalid/x' })).rejects.toThrow(
      /^This machine is offline, or (there is no|nobody knows the) host nowhere\.invalid\.$/,
    );
    await expect(get({ url: 'ftp://example.com/x' })).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('A download that was broken off', () => {
  /** As with a slow line: enough time to stop it. */
  const slowly = { bytesPerSecond: 8 * megabyte };

  async function stopAt(share: number, options: Partial<DownloadOptions> = {}) {
    const stop = new AbortController();
    const onProgress = (bytes: number) => bytes > content.length * share && stop.abort();
    await expect(get({ ...options, signal: stop.signal, onProgress })).rejects.toThrow(/abort/);
    expect(existsSync(out())).toBe(false);
  }

  test('goes on with what is missing', async () => {
    hub.fault(file, slowly);
    await stopAt(0.5);
    hub.fault(file, null);
    hub.seen.length = 0;
    const seen: number[] = [];
    await get({ onProgress: (bytes) => seen.push(bytes) });
    expect(seen[0]).toBeGreaterThan(content.length * 0.5);
    const fetched = askedRanges().reduce((sum, [start, end]) => sum + end - start, 0);
    expect(fetched).toBeLessThan(content.length * 0.5);
    expect(await isWhole()).toBe(true);
    expect(await readdir(folder)).toEqual([file]);
  });

  test('goes on behind a line that broke, without being asked', async () => {
    hub.fault(file, { dropAt: Math.floor(content.length * 0.99), times: 1 });
    await get({ connections: 1 });
    expect(await isWhole()).toBe(true);
    const fetched = askedRanges().reduce((sum, [start, end]) => sum + end - start, 0);
    expect(fetched).toBeLessThan(content.length * 1.3);
  });

  test('asks the hub anew where the place that it led to is closed meanwhile', async () => {
    let asked = 0;
    const server = await startFileServer((request, response) => {
      if (asked++ === 2) return void response.writeHead(403).end();
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${content.length}`, etag: '"a"' });
      response.end(content.subarray(Number(start), Number(end) + 1));
    });
    hub.fault(file, { redirect: `${server.url}/signed` });
    await get({ connections: 1 }).finally(() => server.close());
    expect(await isWhole()).toBe(true);
    expect(hub.seen.filter((each) => each.server === 'hub')).toHaveLength(2);
  });

  test('begins anew where the file is another one now', async () => {
    hub.fault(file, slowly);
    await stopAt(0.4, { bytes: null, digest: null });
    const other = randomBytes(content.length, 3);
    hub.fault(file, null);
    hub.put({ id, files: { [file]: other } });
    await get({ bytes: null, digest: null });
    expect((await readFile(out())).equals(other)).toBe(true);
  });

  test('begins anew where nobody can tell whether the file is the same', async () => {
    const server = await startFileServer((request, response) => {
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const last = Math.min(Number(end), content.length - 1);
      response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${content.length}` });
      response.end(content.subarray(Number(start), last + 1));
    });
    const unknown = { url: server.url, bytes: null, digest: null };
    await stopAt(0.5, unknown);
    const seen: number[] = [];
    await get({ ...unknown, onProgress: (bytes) => seen.push(bytes) }).finally(() => server.close());
    expect(seen[0]).toBeLessThan(content.length * 0.3);
    expect(await isWhole()).toBe(true);
  });

  test('begins anew where what was kept is damaged, which its hash tells', async () => {
    hub.fault(file, slowly);
    await stopAt(0.5);
    hub.fault(file, null);
    const part = join(folder, `.${file}.download`);
    const bytes = await readFile(part);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(part, bytes);
    await get();
    expect(await isWhole()).toBe(true);
  });

  test.each(['', '{"identity":', '{"identity":"x","total":-1,"validator":null,"ranges":[]}'])(
    'begins anew with the journal %j',
    async (journal) => {
      await writeFile(join(folder, `.${file}.download`), Buffer.alloc(content.length, 7));
      await writeFile(join(folder, `.${file}.download.journal`), journal);
      await get();
      expect(await isWhole()).toBe(true);
    },
  );

  test('can be discarded', async () => {
    hub.fault(file, slowly);
    await stopAt(0.3);
    await discardDownload(out());
    expect(await readdir(folder)).toEqual([]);
  });

  test('goes on after its process was killed, at whatever moment, and ends with the right hash', async () => {
    hub.fault(file, { bytesPerSecond: 2 * megabyte });
    const random = seededRandom(5);
    const kept: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const child = downloader();
      await once(child.stdout, 'data');
      await wait(1100 + random.unit() * 500);
      child.kill('SIGKILL');
      await once(child, 'close');
      expect(existsSync(out())).toBe(false);
      const journal = await readFile(join(folder, `.${file}.download.journal`), 'utf8');
      const { ranges } = JSON.parse(journal) as { ranges: [number, number][] };
      // What the journal tells of is there, byte for byte.
      const part = await readFile(join(folder, `.${file}.download`));
      for (const [start, end] of ranges) {
        expect(part.subarray(start, end).equals(content.subarray(start, end))).toBe(true);
      }
      kept.push(ranges.reduce((sum, [start, end]) => sum + end - start, 0));
    }
    expect(kept[0]).toBeGreaterThan(0);
    expect(kept).toEqual(kept.toSorted((one, other) => one - other));
    hub.fault(file, null);
    hub.seen.length = 0;
    await get();
    expect(await isWhole()).toBe(true);
    expect(await readdir(folder)).toEqual([file]);
    const fetched = askedRanges().reduce((sum, [start, end]) => sum + end - start, 0);
    expect(fetched).toBeLessThanOrEqual(content.length - (kept.at(-1) ?? 0));
  });

  /** A process that downloads the file. */
  function downloader() {
    const module = pathToFileURL('src/main/downloads/index.ts').href;
    const options = { url: address(), out: out(), bytes: content.length, digest };
    const program =
      `import { download } from ${JSON.stringify(module)};` +
      `await download({ ...${JSON.stringify(options)}, onProgress: (bytes) => console.log(bytes) });`;
    return spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  test('is told to whoever wants the same file at the same time', async () => {
    hub.fault(file, { bytesPerSecond: 2 * megabyte });
    const child = downloader();
    await once(child.stdout, 'data');
    child.stdout.resume();
    await expect(get()).rejects.toMatchObject({
      code: 'already-running',
      message: `Another Puna is writing ${out()}.`,
    });
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
});

describe('The place of a download', () => {
  test('may vanish', async () => {
    const place = join(folder, 'disk');
    await mkdir(place);
    hub.fault(file, { bytesPerSecond: 4 * megabyte });
    let removed: Promise<void> | null = null;
    const onProgress = () => void (removed ??= rm(place, { recursive: true, force: true }));
    await expect(get({ out: join(place, file), onProgress })).rejects.toMatchObject({
      code: 'file-missing',
      message: `The folder ${place} is gone.`,
    });
    expect(existsSync(place)).toBe(false);
    await expect(get({ out: join(place, file) })).rejects.toThrow(`The folder ${place} is gone.`);
  });

  test('must have room for it, before anything is fetched', async () => {
    const bytes = 2 ** 50;
    await expect(get({ bytes })).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(
        / does not fit on the disk of .*: it needs 1130 TB, and .* are free\.$/,
      ) as string,
    });
    expect(hub.seen).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  test.runIf(canMount)(
    'may be full in the end; what has arrived is gone on with once there is room',
    async () => {
      const disk = join(folder, 'disk');
      await mkdir(disk);
      const system = async (...words: string[]) => {
        const [status] = (await once(spawn(words[0] ?? '', words.slice(1)), 'close')) as [number];
        return status === 0;
      };
      // In a container even the superuser may not be allowed to.
      if (!(await system('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk))) return;
      try {
        const place = join(disk, file);
        let isFilled = false;
        const onProgress = (bytes: number) => {
          if (isFilled || bytes < content.length / 3) return;
          isFilled = true;
          writeFileSync(join(disk, 'other'), Buffer.alloc(12 * megabyte));
        };
        hub.fault(file, { bytesPerSecond: 16 * megabyte });
        await expect(get({ out: place, onProgress })).rejects.toMatchObject({
          code: 'disk-full',
          message: expect.stringContaining('The disk is full') as string,
        });
        expect(existsSync(place)).toBe(false);
        await rm(join(disk, 'other'));
        hub.fault(file, null);
        hub.seen.length = 0;
        await get({ out: place });
        expect((await readFile(place)).equals(content)).toBe(true);
        const fetched = askedRanges().reduce((sum, [start, end]) => sum + end - start, 0);
        expect(fetched).toBeLessThan(content.length);
      } finally {
        await system('umount', disk);
      }
    },
  );
});

describe('Several servers', () => {
  test('are tried in their order, until one has the file', async () => {
    const broken = await startFileServer((_, response) => void response.writeHead(404).end());
    const wrong = await startFileServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<html>');
    });
    const url = [broken.url, wrong.url, address()];
    await get({ url, headers: { authorization: `Bearer ${hub.token}` } });
    expect(await isWhole()).toBe(true);
    // The token belongs to the first one.
    expect(new Set(hub.seen.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
    await expect(get({ url: [broken.url, wrong.url], out: join(folder, 'x') })).rejects.toThrow('web page');
    await broken.close();
    await wrong.close();
  });

  test('go on with what the one before has sent', async () => {
    hub.fault(file, { dropAt: content.length / 2 });
    const other = await startHub([{ id, files: { [file]: content } }]);
    await get({ url: [address(), `${other.url}/${id}/resolve/main/${file}`], connections: 1 });
    expect(await isWhole()).toBe(true);
    expect(other.seen.length).toBeGreaterThan(0);
    expect(other.seen[0]?.range).not.toMatch(/^bytes=0-/);
    await other.close();
  });
});

describe('Files that belong together', () => {
  const parts = [1, 2, 3].map((number) => `big-0000${number}-of-00003.gguf`);
  const contents = parts.map((_, index) => randomBytes(2 * megabyte, 10 + index));
  const files = () =>
    parts.map((name, index) => {
      const bytes = contents[index] ?? Buffer.alloc(0);
      return { name, url: address(name), bytes: bytes.length, digest: { sha256: sha256(bytes) } };
    });
  beforeEach(() => {
    hub.put({
      id,
      files: Object.fromEntries(parts.map((name, index) => [name, contents[index] ?? Buffer.alloc(0)])),
    });
  });

  test('arrive with the first one last, which the others are opened by', async () => {
    hub.fault(parts[0] ?? '', { status: 404 });
    await expect(downloadSet(folder, { files: files(), ...hurried })).rejects.toThrow('has no file');
    expect(await readdir(folder)).toEqual(parts.slice(1));
    hub.fault(parts[0] ?? '', null);
    const progress: number[] = [];
    const paths = await downloadSet(folder, {
      files: files(),
      ...hurried,
      onProgress: (bytes, total) => progress.push(bytes / total),
    });
    expect(paths).toEqual(parts.map((name) => join(folder, name)));
    expect(progress.at(-1)).toBe(1);
  });

  test('make a folder that appears when it is whole', async () => {
    const place = join(folder, 'whole');
    const nested = files().map((each) => ({ ...each, name: `sub/${each.name}` }));
    hub.fault(parts[2] ?? '', { dropAt: megabyte });
    await expect(downloadFolder(place, { files: nested, ...hurried })).rejects.toThrow('broke');
    expect(existsSync(place)).toBe(false);
    // Something that was a part of it in an earlier version.
    await writeFile(join(folder, '.whole.download', 'sub', 'old'), 'x');
    await writeFile(join(folder, '.whole.download', 'sub', parts[0] ?? ''), 'of an earlier version');
    hub.fault(parts[2] ?? '', null);
    hub.seen.length = 0;
    await downloadFolder(place, { files: nested, ...hurried });
    expect(await readdir(join(place, 'sub'))).toEqual(parts);
    expect((await readFile(join(place, 'sub', parts[0] ?? ''))).equals(contents[0] ?? Buffer.alloc(0))).toBe(
      true,
    );
    expect(await readdir(folder)).toEqual(['whole']);
    expect(hub.seen.some(({ path }) => path.includes(parts[1] ?? ''))).toBe(false);
    await expect(downloadFolder(place, { files: nested, ...hurried })).rejects.toThrow('is there already');
  });

  test.each([
    '../out.gguf',
    '/etc/passwd',
    'a/../../b',
    'C:\\x.gguf',
    '..',
    '',
    'a/',
    'x\u0000.gguf',
    'nul.gguf',
  ])('are refused with the name %j, before anything is fetched', async (name) => {
    const [first] = files();
    const bad = first ? [{ ...first, name }] : [];
    await expect(downloadFolder(join(folder, 'a'), { files: bad })).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('could lead out of its folder') as string,
    });
    await expect(downloadSet(join(folder, 'a'), { files: bad })).rejects.toThrow('is not downloaded');
    expect(hub.seen).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});

function randomBytes(length: number, seed: number): Buffer {
  const random = seededRandom(seed);
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.unit() * 2 ** 32);
  return Buffer.from(words.buffer, 0, length);
}
