import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A repository of the stand-in. */
export interface StoredRepository {
  id: string;
  files: Record<string, Buffer>;
  /** Refuses its files to those without the token. */
  gated?: 'auto' | 'manual';
  /** Is not there for those without the token. */
  private?: boolean;
  downloads?: number;
  tags?: string[];
  cardData?: Record<string, unknown>;
}

/** What goes wrong with a file, once or (`times`) so often. */
export interface Fault {
  times?: number;
  status?: number;
  headers?: Record<string, string>;
  /** A web page instead of the file, with status 200. */
  html?: boolean;
  /** Says that the file has so many bytes. */
  total?: number;
  /** Sends others, with the right length. */
  bytes?: Buffer;
  /** Breaks the connection at this position of the file. */
  dropAt?: number;
  /** Sends nothing more from this position on, and keeps the connection. */
  stallAt?: number;
  /** From this position on a byte at a time. */
  trickleAt?: number;
  noRanges?: boolean;
  /** Without ranges, and without saying how long it is. */
  noLength?: boolean;
  /** Where the hub sends whoever asks for the file. */
  redirect?: string;
  etag?: string;
  /** Sends as if packed. */
  packed?: boolean;
  /** Sends so many bytes more than it says. */
  more?: number;
  bytesPerSecond?: number;
}

export interface SeenRequest {
  server: 'hub' | 'files';
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  authorization: string | undefined;
}

/** A hub on loopback. Shapes of its answers are those of the public documentation; large files are on a host of their own, as there. */
export interface StandInHub {
  /** Address of the hub. */
  url: string;
  /** Address of the host that large files are sent from. */
  filesUrl: string;
  token: string;
  /** Everything that was asked, in its order. */
  seen: SeenRequest[];
  /** Makes something go wrong with a file of whatever repository; null: no more. */
  fault(path: string, fault: Fault | null): void;
  /** The same for answers of the API. */
  apiFault(fault: Fault | null): void;
  put(repository: StoredRepository): void;
  close(): Promise<void>;
}

/** Files of this size and more are in LFS. */
const leastLfsBytes = 1024;
const pageBytes = 64 * 1024;
const page = '<!doctype html><html><body>Please sign in to this network.</body></html>';

export async function startHub(repositories: readonly StoredRepository[] = []): Promise<StandInHub> {
  const stored = new Map(repositories.map((repository) => [repository.id, repository]));
  const faults = new Map<string, Fault>();
  const seen: SeenRequest[] = [];
  const token = 'hf_standin';
  let apiFault: Fault | null = null;

  /** The fault of a file, if it is not used up. */
  const faultOf = (path: string): Fault => {
    const fault = faults.get(path);
    if (!fault) return {};
    if (fault.times !== undefined && fault.times-- <= 0) return {};
    return fault;
  };
  const note = (server: SeenRequest['server'], { url, headers }: IncomingMessage) =>
    seen.push({
      ...{ server, path: url ?? '', range: headers.range, authorization: headers.authorization },
      ifRange: headers['if-range']?.toString(),
    });
  const mayEnter = ({ headers }: IncomingMessage) => headers.authorization === `Bearer ${token}`;

  const hub = await listen((request, response) => {
    note('hub', request);
    const url = new URL(request.url ?? '', 'http://hub');
    const parts = url.pathname.slice(1).split('/').map(decodeURIComponent);
    if (parts[0] === 'api') {
      const isUsed = apiFault?.times !== undefined && apiFault.times-- <= 0;
      if (apiFault && !isUsed) return failing(response, apiFault);
      return api(request, response, url, parts.slice(2));
    }
    const [owner, name, , , ...rest] = parts;
    const path = rest.join('/');
    const repository = stored.get(`${owner}/${name}`);
    const file = repository?.files[path];
    if (!repository || (repository.private && !mayEnter(request)))
      return refused(response, 401, 'RepoNotFound');
    if (repository.gated && !mayEnter(request)) return refused(response, 401, 'GatedRepo');
    if (!file) return refused(response, 404, 'EntryNotFound');
    const fault = faultOf(path);
    if (fault.redirect !== undefined) return void response.writeHead(302, { location: fault.redirect }).end();
    if (file.length < leastLfsBytes) return void send(request, response, file, fault);
    const location = `${files.url}/${owner}/${name}/${path}?signature=x`;
    response.writeHead(302, {
      location,
      'x-repo-commit': revisionOf(repository),
      'x-linked-size': String(file.length),
      'x-linked-etag': `"${sha256(file)}"`,
    });
    response.end(`Found. Redirecting to ${location}`);
  });

  const files = await listen((request, response) => {
    note('files', request);
    const [owner, name, ...rest] = new URL(request.url ?? '', 'http://files').pathname
      .slice(1)
      .split('/')
      .map(decodeURIComponent);
    const path = rest.join('/');
    const file = stored.get(`${owner}/${name}`)?.files[path];
    if (!file) return void response.writeHead(403).end('<Error>AccessDenied</Error>');
    const fault = faultOf(path);
    if (fault.status !== undefined || fault.html) return failing(response, fault);
    void send(request, response, file, fault);
  });

  function api(request: IncomingMessage, response: ServerResponse, url: URL, parts: string[]): void {
    if (parts.length < 2) return search(response, url);
    const repository = stored.get(`${parts[0]}/${parts[1]}`);
    if (!repository || (repository.private && !mayEnter(request)))
      return refused(response, 401, 'RepoNotFound');
    json(response, {
      ...summary(repository),
      sha: revisionOf(repository),
      cardData: repository.cardData ?? {},
      siblings: Object.entries(repository.files).map(([rfilename, file]) => {
        const isLfs = file.length >= leastLfsBytes;
        const lfs = { sha256: sha256(file), size: file.length, pointerSize: 134 };
        const blobs = {
          size: file.length,
          blobId: gitBlob(isLfs ? Buffer.from('pointer') : file),
          ...(isLfs && { lfs }),
        };
        return { rfilename, ...(url.searchParams.get('blobs') === 'true' && blobs) };
      }),
    });
  }

  function search(response: ServerResponse, url: URL): void {
    const { searchParams } = url;
    const words = (searchParams.get('search') ?? '').toLowerCase();
    const limit = Number(searchParams.get('limit') ?? 1000);
    const from = Number(searchParams.get('cursor') ?? 0);
    const found = [...stored.values()]
      .filter(({ id, private: hidden }) => !hidden && id.toLowerCase().includes(words))
      .filter((each) => searchParams.getAll('filter').every((tag) => tagsOf(each).includes(tag)))
      .toSorted((one, other) => (other.downloads ?? 0) - (one.downloads ?? 0));
    if (from + limit < found.length) {
      const next = new URLSearchParams(searchParams);
      next.set('cursor', String(from + limit));
      // A mirror passes on the hub's own address.
      response.setHeader('link', `<https://huggingface.co/api/models?${next.toString()}>; rel="next"`);
    }
    json(response, found.slice(from, from + limit).map(summary));
  }

  return {
    ...{ url: hub.url, filesUrl: files.url, token, seen },
    fault: (path, fault) => void (fault ? faults.set(path, fault) : faults.delete(path)),
    apiFault: (fault) => (apiFault = fault),
    put: (repository) => void stored.set(repository.id, repository),
    close: async () => {
      await hub.close();
      await files.close();
    },
  };
}

/** A server of one file, for downloads that know nothing of hubs. */
export async function startFileServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; close: () => Promise<void> }> {
  return listen(answer);
}

/** Sends a file, or the part of it that is asked for, as well as the fault allows. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer,
  fault: Fault = {},
): Promise<void> {
  if (fault.html) return failing(response, fault);
  const etag = fault.etag ?? `"${sha256(file).slice(0, 32)}"`;
  const content = fault.bytes ?? file;
  const total = fault.total ?? file.length;
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const isRanged = asked && isSame && !fault.noRanges && !fault.noLength;
  const start = isRanged ? Number(asked[1]) : 0;
  const end = isRanged && asked[2] ? Math.min(Number(asked[2]) + 1, total) : total;
  const headers = {
    etag,
    'content-type': 'application/octet-stream',
    ...(!fault.noRanges && !fault.noLength && { 'accept-ranges': 'bytes' }),
    ...(fault.packed && { 'content-encoding': 'gzip' }),
    ...fault.headers,
  };
  if (isRanged && start >= total) {
    return void response.writeHead(416, { ...headers, 'content-range': `bytes */${total}` }).end();
  }
  const length = fault.noLength || fault.more ? {} : { 'content-length': end - start };
  const range = isRanged ? { 'content-range': `bytes ${start}-${end - 1}/${total}` } : {};
  response.writeHead(isRanged ? 206 : 200, { ...headers, ...length, ...range });
  response.on('error', () => undefined);
  response.flushHeaders();
  await pour(response, content, start, end, fault);
}

async function pour(
  response: ServerResponse,
  content: Buffer,
  start: number,
  end: number,
  { dropAt = Infinity, stallAt = Infinity, trickleAt = Infinity, bytesPerSecond, more = 0 }: Fault,
): Promise<void> {
  const stop = Math.min(end, content.length, dropAt, stallAt, trickleAt);
  for (let at = start; at < stop && !response.destroyed; at += pageBytes) {
    const piece = content.subarray(at, Math.min(stop, at + pageBytes));
    if (bytesPerSecond) await wait((piece.length / bytesPerSecond) * 1000);
    if (!response.write(piece)) await drained(response);
  }
  if (stop < end && stop === stallAt) return;
  if (stop < end && stop !== trickleAt) {
    // What was written before is on its way.
    await wait(20);
    response.destroy();
    return;
  }
  for (let at = Math.max(start, stop); at < end && !response.destroyed; at++) {
    response.write(content.subarray(at, at + 1));
    await wait(20);
  }
  if (more > 0) response.write(Buffer.alloc(more));
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function failing(response: ServerResponse, fault: Fault): void {
  const type = { 'content-type': 'text/html; charset=utf-8' };
  response
    .writeHead(fault.status ?? 200, { ...(fault.html && type), ...fault.headers })
    .end(fault.html ? page : '');
}

function refused(response: ServerResponse, status: number, code: string): void {
  const words = {
    RepoNotFound: 'Invalid username or password.',
    GatedRepo: 'Access to model is restricted.',
  }[code];
  response.setHeader('x-error-code', code);
  response.statusCode = status;
  json(response, { error: words ?? 'Entry not found' });
}

function json(response: ServerResponse, data: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(data));
}

function summary(repository: StoredRepository) {
  const { id, downloads = 0, gated = false } = repository;
  return {
    ...{ _id: '6', id, modelId: id, downloads, likes: 3, gated, tags: tagsOf(repository) },
    ...{
      private: repository.private ?? false,
      lastModified: '2025-05-09T10:00:00.000Z',
      pipeline_tag: 'text-generation',
    },
  };
}

function tagsOf({ files, tags = [] }: StoredRepository): string[] {
  return [...tags, ...(Object.keys(files).some((path) => path.endsWith('.gguf')) ? ['gguf'] : [])];
}

function revisionOf({ files }: StoredRepository): string {
  return sha256(Buffer.from(Object.values(files).map(sha256).join())).slice(0, 40);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function gitBlob(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

async function listen(handler: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
