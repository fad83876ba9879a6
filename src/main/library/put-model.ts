import type { Database } from 'better-sqlite3';
import { basename, dirname } from 'node:path';
import { automaticLoadSettings, type Model, type ModelOrigin } from '../../shared/contract/index.ts';
import { splitEnding } from '../weights/model-file.ts';

/** A model as it goes into the table `models`. */
export interface ModelToPut {
  path: string;
  realPath: string;
  kind: Model['kind'];
  /** Without one it is called after its file. */
  name?: string | undefined;
  origin: ModelOrigin;
  /** Null: a person or Puna itself adds it. */
  foundIn: string | null;
  bytes: number;
  /** Of its first file. */
  fileBytes: number;
  modifiedAt: number;
  architecture: string;
  parameters: number | null;
  quantization: string | null;
  contextLength: number | null;
  hasChatTemplate: boolean;
  license: string | null;
  addedAt: number;
}

/**
 * Writes a model into the table, and gives its id. One with that path keeps its id, name, tags and settings; what a person has added
 * once stays added. A check of its files no longer holds when they have changed.
 */
export function putModel(database: Database, model: ModelToPut): number {
  const columns = {
    ...{ kind: model.kind, name: model.name ?? nameOf(model.path), path: model.path, bytes: model.bytes },
    ...{ architecture: model.architecture, parameters: model.parameters, quantization: model.quantization },
    ...{ context_length: model.contextLength, has_chat_template: model.hasChatTemplate ? 1 : 0 },
    ...{ license: model.license, origin: model.origin, found_in: model.foundIn, real_path: model.realPath },
    ...{ file_bytes: model.fileBytes, modified_at: model.modifiedAt },
    ...{ load_settings: JSON.stringify(automaticLoadSettings), added_at: model.addedAt },
  };
  const id = database
    .prepare<[typeof columns], number>(
      `INSERT INTO models (kind, name, path, bytes, architecture, parameters, quantization, context_length,
         has_chat_template, license, origin, found_in, real_path, file_bytes, modified_at, load_settings, added_at)
       VALUES (@kind, @name, @path, @bytes, @architecture, @parameters, @quantization, @context_length,
         @has_chat_template, @license, @origin, @found_in, @real_path, @file_bytes, @modified_at, @load_settings, @added_at)
       ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, bytes = excluded.bytes,
         architecture = excluded.architecture, parameters = excluded.parameters,
         quantization = excluded.quantization, context_length = excluded.context_length,
         has_chat_template = excluded.has_chat_template, license = excluded.license, real_path = excluded.real_path,
         origin = CASE WHEN excluded.origin = 'file' OR origin = 'starter' THEN origin ELSE excluded.origin END,
         found_in = CASE WHEN found_in IS NULL THEN NULL ELSE excluded.found_in END,
         verified = CASE WHEN bytes = excluded.bytes AND modified_at = excluded.modified_at THEN verified END,
         file_bytes = excluded.file_bytes, modified_at = excluded.modified_at
       RETURNING id`,
    )
    .pluck()
    .get(columns);
  return Number(id);
}

/** Names of files that say nothing; their folder's name does. */
const sayNothing = /^(gg[mu][lf]-)?(model|pytorch_model)([-_.](q\d\w*|f16|bf16|f32))?$/i;

/** What a found file is called after: itself, or its folder where many files have that name. */
export function tellingName(path: string): string {
  const name = nameOf(path);
  return (sayNothing.test(name) && basename(dirname(path))) || name;
}

function nameOf(path: string): string {
  return basename(path)
    .replace(splitEnding, '')
    .replace(/\.gguf$/i, '');
}
