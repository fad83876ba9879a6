import { z } from 'zod';
import {
  type Failure,
  type LoadSettings,
  loadSettingsSchema,
  type Model,
  type ModelServer,
  tagSchema,
  type Verified,
  verifiedSchema,
} from '../../shared/contract/index.ts';
import { placeOf } from '../../shared/server-address.ts';

/** A line of the table `models`. */
export interface ModelRow {
  id: number;
  kind: Model['kind'];
  name: string;
  path: string;
  bytes: number;
  architecture: string;
  parameters: number | null;
  quantization: string | null;
  context_length: number | null;
  has_chat_template: 0 | 1;
  license: string | null;
  origin: Model['origin'];
  /** The folder in which a scan has found it; null: a person or Puna itself has added it. */
  found_in: string | null;
  /** Where links lead to. */
  real_path: string | null;
  /** Size and time of its first file when it was read; null where that was before they were kept. */
  file_bytes: number | null;
  modified_at: number | null;
  /** JSON */
  tags: string;
  /** JSON */
  verified: string | null;
  /** JSON, as `broken.ts` keeps it */
  broken: string | null;
  /** JSON */
  load_settings: string;
  added_at: number;
  /** Of a model that answers from a server. */
  server_id: number | null;
}

/** A line with the server that its model answers from. */
export interface ModelRowWithServer extends ModelRow {
  server_name: string | null;
  server_address: string | null;
}

/** All lines as `ModelRowWithServer`. */
export const modelsWithServers = `SELECT models.*, servers.name AS server_name, servers.address AS server_address
  FROM models LEFT JOIN servers ON servers.id = server_id`;

/** The line as the contract has it; whether the file is there now, and as it was when it was found broken, is not in the database. */
export function toModel(
  row: ModelRowWithServer,
  { missing, broken }: { missing: boolean; broken: Failure | null },
): Model {
  return {
    ...{ id: row.id, kind: row.kind, name: row.name, bytes: row.bytes },
    // The line of a server's model has one that only tells it apart.
    path: row.kind === 'remote' ? '' : row.path,
    server: serverOf(row),
    ...{ architecture: row.architecture, parameters: row.parameters, quantization: row.quantization },
    contextLength: row.context_length,
    hasChatTemplate: row.has_chat_template === 1,
    ...{ license: row.license, origin: row.origin, tags: readTags(row.tags) },
    verified: readVerified(row.verified),
    broken,
    loadSettings: readLoadSettings(row.load_settings),
    missing,
    addedAt: row.added_at,
  };
}

function serverOf({
  server_id: id,
  server_name: name,
  server_address: address,
}: ModelRowWithServer): ModelServer | null {
  if (id === null || name === null || address === null) return null;
  return { id, name, place: placeOf(new URL(address).hostname) };
}

function readLoadSettings(json: string): LoadSettings {
  return loadSettingsSchema.parse(JSON.parse(json));
}

function readTags(json: string): string[] {
  return z.array(tagSchema).parse(JSON.parse(json));
}

function readVerified(json: string | null): Verified | null {
  return json === null ? null : verifiedSchema.parse(JSON.parse(json));
}
