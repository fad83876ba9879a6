import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { automaticLoadSettings, type ServerPlace } from '../../shared/contract/index.ts';
import { placeOf } from '../../shared/server-address.ts';
import type { OfferedModel } from './models-list.ts';

/** A server as the database has it. Whether there is a key is in it, the key is not. */
export interface StoredServer {
  id: number;
  name: string;
  address: string;
  /** By the address, and so by what counts as one's own network today. */
  place: ServerPlace;
  hasKey: boolean;
  /** What it had when it was asked last. */
  offered: OfferedModel[];
}

interface Row {
  id: number;
  name: string;
  address: string;
  has_key: 0 | 1;
  offered: string;
}

type Columns = Omit<StoredServer, 'id' | 'place'>;

const offeredSchema = z.array(z.object({ name: z.string(), contextLength: z.int().nullable() }));

/** The tables of servers and of their models. */
export class StoredServers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): StoredServer[] {
    return this.#database.prepare<[], Row>('SELECT * FROM servers ORDER BY id').all().map(toServer);
  }

  get(id: number): StoredServer | null {
    const row = this.#database.prepare<[number], Row>('SELECT * FROM servers WHERE id = ?').get(id);
    return row ? toServer(row) : null;
  }

  add(server: Columns, addedAt: number): number {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO servers (name, address, has_key, offered, added_at) VALUES (?, ?, ?, ?, ?)')
      .run(...columnsOf(server), addedAt);
    return Number(lastInsertRowid);
  }

  set({ id, ...server }: StoredServer): void {
    this.#database
      .prepare('UPDATE servers SET name = ?, address = ?, has_key = ?, offered = ? WHERE id = ?')
      .run(...columnsOf(server), id);
  }

  /** Its models go with it. */
  remove(id: number): void {
    this.#database.prepare('DELETE FROM servers WHERE id = ?').run(id);
  }

  /** Which models of a server are in the library, by their names there. */
  chosen(serverId: number): Map<string, number> {
    const rows = this.#database
      .prepare<[number], { id: number; server_model: string }>(
        'SELECT id, server_model FROM models WHERE server_id = ?',
      )
      .all(serverId);
    return new Map(rows.map(({ id, server_model: name }) => [name, id]));
  }

  /** By what name its server knows a model of the library; null where it is of none. */
  nameThere(modelId: number): { serverId: number; name: string } | null {
    const row = this.#database
      .prepare<[number], { server_id: number | null; server_model: string | null }>(
        'SELECT server_id, server_model FROM models WHERE id = ?',
      )
      .get(modelId);
    if (row?.server_id == null || row.server_model === null) return null;
    return { serverId: row.server_id, name: row.server_model };
  }

  /** Has these models of a server in the library, and no others. Those that are there keep their names and tags. */
  choose(server: StoredServer, names: readonly string[], addedAt: number): void {
    const put = this.#database.prepare(
      `INSERT INTO models (kind, name, path, bytes, architecture, parameters, quantization, context_length,
         has_chat_template, license, origin, load_settings, added_at, server_id, server_model)
       VALUES ('remote', @shownName, @path, 0, '', NULL, NULL, @contextLength, 1, NULL, 'server', @loadSettings, @addedAt,
         @serverId, @name)
       ON CONFLICT (path) DO UPDATE SET context_length = excluded.context_length`,
    );
    const remove = this.#database.prepare('DELETE FROM models WHERE id = ?');
    this.#database.transaction(() => {
      for (const [name, id] of this.chosen(server.id)) if (!names.includes(name)) remove.run(id);
      for (const name of new Set(names)) {
        const contextLength = server.offered.find((model) => model.name === name)?.contextLength ?? null;
        const loadSettings = JSON.stringify(automaticLoadSettings);
        // No path of a file: it only tells this model apart from all others.
        const path = `server:${server.id}:${name}`;
        const columns = { path, contextLength, loadSettings, addedAt, serverId: server.id };
        put.run({ ...columns, name, shownName: shownName(name) });
      }
    })();
  }
}

/** llama-server calls a model after its file, with the whole path, unless it is told otherwise. */
function shownName(name: string): string {
  if (!/\.gguf$/i.test(name)) return name;
  return name.replace(/^.*[\\/]|\.gguf$/gi, '') || name;
}

function toServer({ id, name, address, has_key, offered }: Row): StoredServer {
  return {
    ...{ id, name, address, place: placeOf(new URL(address).hostname), hasKey: has_key === 1 },
    offered: offeredSchema.parse(JSON.parse(offered)),
  };
}

function columnsOf({ name, address, hasKey, offered }: Columns): (string | number)[] {
  return [name, address, Number(hasKey), JSON.stringify(offered)];
}
