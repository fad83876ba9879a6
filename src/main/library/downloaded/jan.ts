import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { namedSha256 } from '../sha256.ts';
import { type Found, walk, type Walked, type WalkOptions } from '../walk.ts';
import { dataFolders, jsonText, type Machine, readSettings } from './places.ts';

/** What Jan says of a model that it runs with llama.cpp. */
const modelSchema = z.object({
  /** From the data folder, or from the root. */
  model_path: z.string().min(1),
  name: z.string().min(1).max(200).nullish(),
  model_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .nullish()
    .catch(null),
});

/**
 * Jan's data folder: the one of its settings (`data_folder` in `Jan/settings.json`), and those that its versions begin with.
 * https://jan.ai/docs/data-folder
 */
export async function janFolders(machine: Machine): Promise<string[]> {
  const { join, data, roaming } = dataFolders(machine);
  const own = [...new Set([roaming, data])].map((folder) => join(folder, 'Jan'));
  const chosen = await Promise.all(
    own.map(async (folder) => jsonText(await readSettings(join(folder, 'settings.json')), 'data_folder')),
  );
  return [
    ...chosen.filter((folder) => folder !== null),
    ...own.map((folder) => join(folder, 'data')),
    join(machine.home, 'jan'),
  ];
}

/** Of its data folder, where models are: those of now, and those of versions before. */
const places = [join('llamacpp', 'models'), 'models'];

/** What is in Jan's data folder; a model whose file is elsewhere is told of by its `model.yml`. */
export async function findJan(folder: string, options: WalkOptions = {}): Promise<Walked> {
  const walked: Walked = { found: [], folders: [folder], isCut: false, others: [] };
  await stat(folder);
  for (const place of places) {
    const top = join(folder, place);
    const below = await walk(top, { ...options, other: 'model.yml' }).catch(() => null);
    options.signal?.throwIfAborted();
    if (!below) continue;
    const described = await Promise.all(below.others.map((path) => describe(path, folder, top)));
    const byPath = new Map(described.flatMap((found) => (found ? [[found.path, found] as const] : [])));
    walked.found.push(...byPath.values(), ...below.found.filter(({ path }) => !byPath.has(path)));
    walked.folders.push(...below.folders);
    walked.isCut ||= below.isCut;
  }
  return walked;
}

async function describe(path: string, dataFolder: string, top: string): Promise<Found | null> {
  try {
    const model = modelSchema.parse(parse((await readSettings(path)) ?? ''));
    const file = isAbsolute(model.model_path) ? model.model_path : join(dataFolder, model.model_path);
    const [{ size, mtimeMs }, realPath] = await Promise.all([stat(file), realpath(file)]);
    return {
      ...{ kind: 'gguf', path: file, realPath, bytes: size, modifiedAt: mtimeMs },
      name: model.name ?? relative(top, dirname(path)).split(sep).join('/'),
      sha256: model.model_sha256?.toLowerCase() ?? namedSha256(realPath),
    };
  } catch {
    // Of another version, or its file is gone.
    return null;
  }
}
