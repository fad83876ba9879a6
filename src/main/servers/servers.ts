import type { Database } from 'better-sqlite3';
import {
  type Model,
  type NewServer,
  type Server,
  serverNameSchema,
  type ServerPatch,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Library } from '../library/index.ts';
import type { Secrets } from '../secrets/index.ts';
import { hostOf, parseAddress, refuseOpenKey } from './address.ts';
import { type ServerPatience, usualServerPatience } from './ask.ts';
import type { ReplyEvent, ReplyResult } from '../inference/messages.ts';
import type { Conversation } from './chat-body.ts';
import { askForModels, isForChat, type OfferedModel } from './models-list.ts';
import { remoteReply } from './reply.ts';
import { type StoredServer, StoredServers } from './stored-servers.ts';

export interface ServersOptions {
  /** With the tables of servers and models. */
  database: Database;
  library: Pick<Library, 'tell'>;
  secrets: Secrets;
  onChange: (servers: Server[]) => void;
  patience?: ServerPatience;
  /** ms since 1970 */
  now?: () => number;
}

/** How a reply is followed. */
interface ReplyOptions {
  signal: AbortSignal;
  onEvent: (event: ReplyEvent) => void;
}

/** So many are in the list at once; of more, a person chooses. */
const mostAtOnce = 12;

/** What came of asking a server for its models last. */
type Asked = Pick<Server, 'state' | 'failure'>;
const neverAsked: Asked = { state: 'unknown', failure: null };

/** Servers that a person has added, and which of their models are in the list. They are asked for their models when a person wants that. */
export class Servers {
  readonly #options: ServersOptions;
  readonly #stored: StoredServers;
  readonly #patience: ServerPatience;
  readonly #asked = new Map<number, Asked>();
  /** What a server does not take for a model, by the server's address and the model's name there. */
  readonly #leftOut = new Map<string, Set<string>>();

  constructor(options: ServersOptions) {
    this.#options = options;
    this.#stored = new StoredServers(options.database);
    this.#patience = options.patience ?? usualServerPatience;
  }

  list(): Server[] {
    return this.#stored.list().map((server) => this.#shown(server));
  }

  /**
   * Adds a server once it has told its models. Errors: `NetworkError`, `invalid-input` (no name, no address, no key, a key that everybody
   * could read), those of `Secrets`.
   */
  async add({ name, address, key }: NewServer, signal?: AbortSignal): Promise<Server> {
    const called = checkedName(name);
    const place = parseAddress(address);
    const word = key === null ? null : checkedKey(key);
    refuseOpenKey(place, word !== null);
    const offered = await this.#ask({ ...place, key: word }, signal);
    const server = { name: called, ...place, hasKey: word !== null, offered };
    const id = this.#stored.add(server, this.#now());
    try {
      if (word !== null) await this.#options.secrets.set(keyName(id), withHost(place.address, word));
    } catch (thrown) {
      this.#stored.remove(id);
      throw thrown;
    }
    this.#asked.set(id, { state: 'reached', failure: null });
    const forChat = offered.filter(isForChat).map((model) => model.name);
    if (forChat.length <= mostAtOnce) this.#stored.choose({ id, ...server }, forChat, this.#now());
    return this.#tell(id);
  }

  /** Changes a server; with another address or key it has to tell its models first. Errors: as those of `add`, `not-found`. */
  async update(
    id: number,
    patch: { [Key in keyof ServerPatch]: ServerPatch[Key] | undefined },
    signal?: AbortSignal,
  ): Promise<Server> {
    const before = this.#get(id);
    const name = patch.name === undefined ? before.name : checkedName(patch.name);
    const place = patch.address === undefined ? before : parseAddress(patch.address);
    const isElsewhere = new URL(place.address).hostname !== new URL(before.address).hostname;
    if (before.hasKey && isElsewhere && patch.key === undefined && !patch.takesKeyAlong) {
      throw new PunaError(
        'invalid-input',
        `The key was given for ${hostOf(before.address)}, and does not go to another host by itself.`,
        'Enter it once more, or take it out.',
      );
    }
    const key = patch.key === undefined ? undefined : patch.key === null ? null : checkedKey(patch.key);
    refuseOpenKey(place, key === undefined ? before.hasKey : key !== null);
    let { offered } = before;
    let word: string | null = null;
    if (key !== undefined || place.address !== before.address) {
      word = key === undefined ? await this.#keyOf(before) : key;
      offered = await this.#ask({ ...place, key: word }, signal);
      this.#asked.set(id, { state: 'reached', failure: null });
    }
    // It may have been removed meanwhile.
    this.#get(id);
    // Also the one that was taken along: it is kept with the host that it may go to.
    if (word !== null) await this.#options.secrets.set(keyName(id), withHost(place.address, word));
    this.#keep({
      ...{ id, name, address: place.address, place: place.place },
      ...{ hasKey: key === undefined ? before.hasKey : key !== null, offered },
    });
    if (key === null) await this.#options.secrets.remove(keyName(id));
    return this.#tell(id);
  }

  /** Asks a server for its models; what came of that is in its state. Errors: `not-found`. */
  async refresh(id: number): Promise<Server> {
    const server = this.#get(id);
    this.#asked.set(id, { state: 'asking', failure: null });
    this.#tell(id);
    try {
      const offered = await this.#ask({ ...server, key: await this.#keyOf(server) });
      const now = this.#get(id);
      // What was told of another address says nothing of this one.
      if (now.address === server.address) this.#keep({ ...now, offered });
      this.#asked.set(id, { state: 'reached', failure: null });
    } catch (thrown) {
      const { code, message, remedy } = PunaError.from(thrown);
      this.#asked.set(id, { state: 'failed', failure: { code, message, remedy } });
    }
    return this.#tell(id);
  }

  /** Has these models of a server in the list, and no others. Errors: `not-found` (also of a model that it does not have). */
  choose(id: number, names: readonly string[]): Server {
    const server = this.#get(id);
    const chosen = this.#stored.chosen(id);
    const unknown = names.find(
      (name) => !chosen.has(name) && !server.offered.some((one) => one.name === name),
    );
    if (unknown !== undefined) {
      throw new PunaError(
        'not-found',
        `${server.name} has no model ${unknown}.`,
        'Ask the server for its models again.',
      );
    }
    this.#stored.choose(server, names, this.#now());
    return this.#tell(id);
  }

  /** Its models leave the list, and its key is forgotten. Errors: `not-found`, those of `Secrets`. */
  async remove(id: number): Promise<void> {
    const { hasKey } = this.#get(id);
    if (hasKey) await this.#options.secrets.remove(keyName(id));
    this.#stored.remove(id);
    this.#asked.delete(id);
    this.#options.library.tell();
    this.tell();
  }

  /**
   * Has the server of a model write a reply; nothing else ever sends words to a server. Errors: as those of `remoteReply`, `not-found` (it
   * is no longer in the list), `no-access` (its key cannot be had).
   */
  async reply(
    model: Pick<Model, 'id' | 'name'>,
    conversation: Conversation,
    options: ReplyOptions,
  ): Promise<ReplyResult> {
    const there = this.#stored.nameThere(model.id);
    if (!there) {
      throw new PunaError('not-found', `${model.name} is no longer in the list.`, 'Choose another model.');
    }
    return this.replyOf(there, conversation, options);
  }

  /** The same of a model by its name on a server, whether it is in the list or not. */
  async replyOf(
    { serverId, name }: { serverId: number; name: string },
    conversation: Conversation,
    options: ReplyOptions,
  ): Promise<ReplyResult> {
    const server = this.#get(serverId);
    const { address, offered } = server;
    const contextLength = offered.find((model) => model.name === name)?.contextLength ?? null;
    const leftOut = this.#leftOut.get(`${address} ${name}`) ?? new Set();
    this.#leftOut.set(`${address} ${name}`, leftOut);
    const asked = { address, host: hostOf(address), key: await this.#keyOf(server) };
    return remoteReply({ server: asked, name, contextLength, leftOut }, conversation, {
      ...options,
      patience: this.#patience,
    });
  }

  /** Tells the servers as they are now. */
  tell(): void {
    this.#options.onChange(this.list());
  }

  /** What it tells of its models holds for those in the list, too. */
  #keep(server: StoredServer): void {
    this.#stored.set(server);
    this.#stored.choose(server, [...this.#stored.chosen(server.id).keys()], this.#now());
  }

  #tell(id: number): Server {
    this.#options.library.tell();
    this.tell();
    return this.#shown(this.#get(id));
  }

  #get(id: number): StoredServer {
    const server = this.#stored.get(id);
    if (server) return server;
    throw new PunaError('not-found', 'This server is no longer in the list.', 'Add it again.');
  }

  /** An end of `signal` is that of the question, and of what its answer would have changed. */
  async #ask(
    { address, key }: { address: string; key: string | null },
    signal?: AbortSignal,
  ): Promise<OfferedModel[]> {
    const offered = await askForModels({ address, host: hostOf(address), key }, this.#patience, signal);
    signal?.throwIfAborted();
    return offered;
  }

  async #keyOf({ id, name, address, hasKey }: StoredServer): Promise<string | null> {
    if (!hasKey) return null;
    const remedy = 'Enter it once more in the settings of the server.';
    const kept = await this.#options.secrets.get(keyName(id)).catch((cause: unknown) => {
      throw new PunaError('no-access', `The key of ${name} cannot be opened here.`, remedy, { cause });
    });
    if (kept === null) throw new PunaError('no-access', `The key of ${name} is gone.`, remedy);
    const key = keyFor(address, kept);
    if (key !== null) return key;
    throw new PunaError('no-access', `The key of ${name} was given for another host.`, remedy);
  }

  #shown({ id, name, address, place, hasKey, offered }: StoredServer): Server {
    const chosen = this.#stored.chosen(id);
    const known = offered.map((model) => model.name);
    const names = [...known, ...[...chosen.keys()].filter((each) => !known.includes(each))];
    return {
      ...{ id, name, address, place, hasKey, ...(this.#asked.get(id) ?? neverAsked) },
      models: names.map((each) => ({ name: each, modelId: chosen.get(each) ?? null })),
    };
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** Under which name the key of a server is kept. Ids are never used again. */
function keyName(id: number): string {
  return `server-key-${id}`;
}

/**
 * A key as it is kept: with the host that it was given for, since the address is kept elsewhere, where it may be another one by the time
 * the key is read.
 */
function withHost(address: string, key: string): string {
  return `${new URL(address).hostname} ${key}`;
}

/** Null where it was given for another host. */
function keyFor(address: string, kept: string): string | null {
  const start = withHost(address, '');
  return kept.startsWith(start) ? kept.slice(start.length) : null;
}

/** Errors: `invalid-input` (none, or one that fits nowhere). */
function checkedName(name: string): string {
  const { data } = serverNameSchema.safeParse(name);
  if (data !== undefined) return data;
  throw new PunaError(
    'invalid-input',
    name.trim() === '' ? 'The server has no name.' : 'The name of the server is too long.',
    'Give it one of at most 100 characters.',
  );
}

/** Errors: `invalid-input` (what no header could carry). */
function checkedKey(key: string): string {
  const word = key.trim();
  if (/^[\x21-\x7e]+$/.test(word)) return word;
  throw new PunaError(
    'invalid-input',
    'This is not a key.',
    'It is one word such as sk-…, as the server or its owner has told it.',
  );
}
