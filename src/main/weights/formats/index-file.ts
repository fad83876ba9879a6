import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { fileError } from '../../storage/file-error.ts';
import { withFileSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { printable, quoted } from './printable.ts';
import { maxTensors } from './safetensors-types.ts';
import { parseStrictJson } from './strict-json.ts';

/** Which file of a model each of its tensors is in. */
export interface ShardIndex {
  /** Names of the tensors by the path of the file that they are in. */
  readonly shards: ReadonlyMap<string, readonly string[]>;
  /** Bytes of all tensors, as whoever wrote the index counted them; often in another type than the files have. */
  readonly totalBytes: number | undefined;
}

/** Longest index that is read; those of the largest models take some megabytes. */
const maxIndexBytes = 64 * 1024 * 1024;
const maxShards = 10_000;
const jsonLimits = { depth: 16, values: maxTensors * 2 };

const indexSchema = z.object({
  metadata: z.object({ total_size: z.number().nonnegative().optional() }).optional(),
  weight_map: z.record(z.string(), z.string()),
});

/**
 * Reads the index of a model in several files (`model.safetensors.index.json`, `pytorch_model.bin.index.json`), which may come
 * from a stranger: its files are plain names of files inside its folder. Errors: `file-damaged`, `file-missing` (also a shard),
 * `invalid-input`.
 */
export async function readShardIndex(path: string): Promise<ShardIndex> {
  const bytes = await withFileSource(path, async (source) => {
    if (source.size > maxIndexBytes) throw damagedFile(path, `it has ${source.size} bytes`);
    const target = new Uint8Array(source.size);
    return target.subarray(0, await source.read(target, 0));
  });
  const { weight_map, metadata } = parseShardIndex(bytes, path);
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(weight_map)) {
    const tensors = shards.get(shard) ?? [];
    tensors.push(tensor);
    shards.set(shard, tensors);
    if (shards.size > maxShards) throw damagedFile(path, `it names more than ${maxShards} files`);
  }
  const paths = new Map<string, string[]>();
  for (const [shard, tensors] of shards) paths.set(await shardPath(path, shard), tensors);
  return { shards: paths, totalBytes: metadata?.total_size };
}

/** What an index says. Errors: `file-damaged`, with the index called `name`. */
export function parseShardIndex(bytes: Uint8Array, name: string): z.infer<typeof indexSchema> {
  const json = parseStrictJson(bytes, {
    ...{ what: 'the index', limits: jsonLimits },
    damaged: (what) => damagedFile(name, what),
  });
  const { success, data, error } = indexSchema.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    const where = printable(issue?.path.join('.').slice(0, 64) ?? '');
    throw damagedFile(name, `it has no sound list of tensors and files${where && ` (${where})`}`, error);
  }
  for (const shard of new Set(Object.values(data.weight_map))) {
    if (!isPlainName(shard)) {
      throw damagedFile(
        name,
        `it names the file ${quoted(shard)}, which is no plain name of a file beside it`,
      );
    }
  }
  return data;
}

/** Whether a name stays in its folder on every system, and is not that of a device on Windows. */
function isPlainName(name: string): boolean {
  return (
    /^[^/\\:<>"|?*\p{Cc}]{1,255}$/u.test(name) &&
    !/^\.{1,2}$/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)
  );
}

/** The path of a shard, which must be a file in the index's folder, or a link to one where Hugging Face's cache keeps them. */
async function shardPath(indexPath: string, shard: string): Promise<string> {
  const folder = dirname(indexPath);
  const path = join(folder, shard);
  try {
    const link = (await lstat(path)).isSymbolicLink();
    if (link && !(await foldersOfLinks(folder)).includes(dirname(await realpath(path)))) {
      throw damagedFile(indexPath, `the file ${quoted(shard)} that it names is a link out of its folder`);
    }
    return path;
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** Where links in a folder may lead: to the folder itself, and from `snapshots/REVISION` in a cache of Hugging Face to its `blobs`. */
async function foldersOfLinks(folder: string): Promise<string[]> {
  const real = await realpath(folder);
  const snapshots = dirname(real);
  return basename(snapshots) === 'snapshots' ? [real, join(dirname(snapshots), 'blobs')] : [real];
}
