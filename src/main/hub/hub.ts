import type { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import {
  type Digest,
  NetworkError,
  pauseAfter,
  request,
  type RetryOptions,
  usualRetries,
} from '../downloads/index.ts';
import type { Answer } from '../downloads/request.ts';
import { networkError } from '../downloads/network-error.ts';
import { usualPatience } from '../downloads/stall.ts';
import { endpointOf, usualEndpoint } from './endpoint.ts';
import { type Asked, jsonOf, textOf, tokenPlaces } from './hub-answer.ts';
import { foundListSchema, type foundSchema, repositorySchema } from './schemas.ts';

export interface HubOptions {
  /** Of a hub or a mirror, as `endpointOf` takes it. */
  endpoint?: string | null;
  /** Of an account; it goes to the endpoint alone. */
  token?: string | null;
  retries?: RetryOptions;
  /** How long the hub may take until its answer begins, and stand still in the middle of it, in ms. */
  answerWithinMs?: number;
}

/** A repository as a search tells of it. */
export interface FoundModel {
  /** `OWNER/NAME` */
  id: string;
  downloads: number | null;
  likes: number | null;
  /** As ISO 8601 has it. */
  changedAt: string | null;
  /** Whether conditions have to be accepted: at once, or once the owner has agreed. */
  gated: false | 'auto' | 'manual';
  tags: string[];
}

export interface RepositoryFile {
  /** With `/` between folders. Nothing has been checked yet: see `placeBelow`. */
  path: string;
  bytes: number;
  /** Null where the hub tells none. */
  digest: Digest | null;
}

export interface Repository extends FoundModel {
  /** The commit that the files are of. */
  revision: string;
  /** Such as `apache-2.0`; null where it is not told. */
  license: string | null;
  licenseLink: string | null;
  /** Repositories that this one was made from. */
  baseModels: string[];
  languages: string[];
  /** What the hub knows of a GGUF file's header. */
  parameters: number | null;
  architecture: string | null;
  contextLength: number | null;
  files: RepositoryFile[];
}

export const searchOrders = ['downloads', 'likes', 'trendingScore', 'lastModified', 'createdAt'] as const;

export interface SearchOptions {
  words: string;
  sort?: (typeof searchOrders)[number];
  /** How many at a time. */
  limit?: number;
  /** Where an earlier search has ended (`next`). */
  from?: string | null;
  signal?: AbortSignal;
}

/** What a search tells of each; the rest of what the hub knows would be many times as much. */
const expanded = ['downloads', 'likes', 'lastModified', 'gated', 'tags', 'pipeline_tag'];

/**
 * The Hugging Face hub, or whatever speaks its API. Over Puna's own `request`, which downloads need anyway. `@huggingface/hub` knows
 * another endpoint and takes a `fetch`, but then proxies, certificates, timeouts, retries and redirects remain to be written, it looks at
 * no answer before it trusts it, follows a mirror's links to the hub itself, and its download gives a Blob that cannot be gone on with.
 */
export class Hub {
  readonly endpoint: URL;
  readonly #token: string | null;
  readonly #retries: RetryOptions;
  readonly #answerWithinMs: number | undefined;

  /** Errors: those of `endpointOf`. */
  constructor({ endpoint, token = null, retries = usualRetries, answerWithinMs }: HubOptions = {}) {
    this.endpoint = endpointOf(endpoint);
    this.#token = token;
    this.#retries = retries;
    this.#answerWithinMs = answerWithinMs;
  }

  /** Repositories with GGUF files, a page at a time. Errors: `NetworkError`, an abort. */
  async search({ words, sort = 'downloads', limit = 20, from = null, signal }: SearchOptions) {
    const query = new URLSearchParams(
      from ?? {
        ...{ search: words, filter: 'gguf', sort, direction: '-1', limit: String(limit) },
      },
    );
    if (from === null) for (const field of expanded) query.append('expand', field);
    const address = this.#address(['api', 'models'], query);
    const asked = this.#asked('the search', []);
    const { answer, found } = await this.#get(address, signal, async (answer) => ({
      answer,
      found: parsed(foundListSchema, await jsonOf(answer, asked), answer, asked),
    }));
    return { models: found.map(toFound), next: nextPage(String(answer.headers.link ?? '')) };
  }

  /** Errors: `NetworkError`, `invalid-input` (no name of a repository), an abort. */
  async repository(
    id: string,
    { revision = null, signal }: { revision?: string | null; signal?: AbortSignal } = {},
  ): Promise<Repository> {
    const path = ['api', 'models', ...parts(id), ...(revision === null ? [] : ['revision', revision])];
    const asked = this.#asked(`the repository ${id}`, parts(id));
    const address = this.#address(path, new URLSearchParams({ blobs: 'true' }));
    const data = await this.#get(address, signal, async (answer) =>
      parsed(repositorySchema, await jsonOf(answer, asked), answer, asked),
    );
    const { cardData, gguf } = data;
    return {
      ...toFound(data),
      revision: data.sha ?? revision ?? 'main',
      license: licenseOf(data),
      licenseLink: cardData?.license_link ?? null,
      baseModels: cardData?.base_model ?? [],
      languages: cardData?.language ?? [],
      parameters: gguf?.total ?? null,
      architecture: gguf?.architecture ?? null,
      contextLength: gguf?.context_length ?? null,
      files: data.siblings.map(({ rfilename, size, lfs, blobId }) => ({
        path: rfilename,
        bytes: lfs?.size ?? size ?? 0,
        digest: lfs ? { sha256: lfs.sha256 } : blobId && size !== null ? { gitBlob: blobId } : null,
      })),
    };
  }

  /** The model card's text without its header; null where there is none. It is markdown that anybody may have written. */
  async card(
    { id, revision }: Pick<Repository, 'id' | 'revision'>,
    signal?: AbortSignal,
  ): Promise<string | null> {
    const asked = this.#asked(`the model card of ${id}`, parts(id));
    const text = await this.#get(this.fileAddress({ id, revision }, 'README.md'), signal, (answer) =>
      answer.status === 404 ? Promise.resolve(null) : textOf(answer, asked),
    );
    return text?.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---[ \t]*(\r?\n|$)/, '').trim() ?? null;
  }

  /** Where a file of a repository is. */
  fileAddress({ id, revision }: Pick<Repository, 'id' | 'revision'>, path: string): string {
    return this.#address([...parts(id), 'resolve', revision, ...path.split('/')]);
  }

  /** For the endpoint alone. */
  get privateHeaders(): Record<string, string> {
    return this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
  }

  /**
   * Says why a file was refused: a hub shows a repository's list of files to everybody, and asks for a token when they are fetched.
   * Anything else comes back as it is.
   */
  explained(thrown: unknown, id: string): unknown {
    if (!(thrown instanceof NetworkError) || thrown.reason !== 'no-access') return thrown;
    const { page } = this.#asked('', parts(id));
    return new NetworkError(
      'no-access',
      `${this.endpoint.host} gives the files of ${id} only to those who have accepted its conditions.`,
      this.#token === null
        ? `Accept them on ${page}, and give Puna a token of your account (${tokenPlaces}).`
        : `Accept them on ${page} with the account of your token; some owners take a while to let you in.`,
      { cause: thrown },
    );
  }

  #asked(what: string, path: readonly string[]): Asked {
    const patience = { ...usualPatience, ms: this.#answerWithinMs ?? usualPatience.ms };
    return { what, hasToken: this.#token !== null, page: this.#address(path), patience };
  }

  #address(path: readonly string[], query?: URLSearchParams): string {
    const url = new URL(this.endpoint);
    url.pathname = [url.pathname.replace(/\/$/, ''), ...path.map(encodeURIComponent)].join('/');
    url.search = query?.toString() ?? '';
    return url.href;
  }

  async #get<Result>(
    address: string,
    signal: AbortSignal | undefined,
    read: (answer: Answer) => Promise<Result>,
  ): Promise<Result> {
    for (let failures = 1; ; failures++) {
      try {
        const answer = await request(address, {
          privateHeaders: this.privateHeaders,
          signal,
          ...(this.#answerWithinMs !== undefined && { answerWithinMs: this.#answerWithinMs }),
        });
        return await read(answer).finally(() => answer.body.destroy());
      } catch (thrown) {
        await pauseAfter(networkError(thrown, new URL(address).host), failures, this.#retries, signal);
      }
    }
  }
}

/** Owner and name of a repository; old ones have no owner. Errors: `invalid-input`. */
function parts(id: string): string[] {
  const names = id.split('/');
  const areNames = names.every((name) => /^[\w.-]{1,96}$/.test(name) && !/^\.+$/.test(name));
  if (areNames && names.length <= 2) return names;
  throw new PunaError(
    'invalid-input',
    `${JSON.stringify(id)} is not the name of a repository.`,
    'It is OWNER/NAME, such as Qwen/Qwen3-8B-GGUF.',
  );
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  { url }: Answer,
  { what }: Asked,
): z.output<Schema> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new NetworkError(
    'wrong-answer',
    `${url.host} answers with JSON that is not ${what}.`,
    'Check the address of the hub.',
    { cause: result.error },
  );
}

function toFound({
  lastModified,
  id,
  downloads,
  likes,
  gated,
  tags,
}: z.output<typeof foundSchema>): FoundModel {
  return { id, downloads, likes, changedAt: lastModified, gated, tags };
}

/** The license that the card names, or else the tag; `other` says less than the name that comes with it. */
function licenseOf({ cardData, tags }: z.output<typeof repositorySchema>): string | null {
  const named = cardData?.license[0];
  if (named && named !== 'other') return named;
  const tag = tags.find((each) => each.startsWith('license:'))?.slice('license:'.length);
  return cardData?.license_name ?? named ?? tag ?? null;
}

/** What the next page is asked with. Of the address only this is used: a mirror may pass on that of the hub itself. */
function nextPage(link: string): string | null {
  const next = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link)?.[1];
  return next === undefined ? null : (URL.parse(next, usualEndpoint)?.search.slice(1) ?? null);
}
