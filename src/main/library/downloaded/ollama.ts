import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import type { Found, Walked, WalkOptions } from '../walk.ts';
import { dataFolders, type Machine, readSettings } from './places.ts';

const manifestSchema = z.object({
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) })),
});

/** Which layers are files of llama.cpp; the others are templates, licences and settings. */
const layerKinds = new Map([
  ['application/vnd.ollama.image.model', ''],
  ['application/vnd.ollama.image.adapter', ' adapter'],
]);

/** Host, namespace, model, tag: no manifest lies deeper. */
const deepest = 5;

/**
 * Ollama: OLLAMA_MODELS, else `~/.ollama/models`; on Linux its service has a home of its own.
 * https://docs.ollama.com/faq#where-are-models-stored
 */
export function ollamaFolders(machine: Machine): string[] {
  const { join } = dataFolders(machine);
  const chosen = machine.env['OLLAMA_MODELS'];
  if (chosen) return [chosen];
  const service = machine.platform === 'linux' ? ['/usr/share/ollama/.ollama/models'] : [];
  return [join(machine.home, '.ollama', 'models'), ...service];
}

/** What manifests name: `manifests/<host>/<namespace>/<model>/<tag>` are JSON, and layers are `blobs/sha256-<digits>`. */
export async function findOllama(folder: string, { signal }: WalkOptions = {}): Promise<Walked> {
  const top = join(folder, 'manifests');
  const walked: Walked = { found: [], folders: [], isCut: false, others: [] };
  await readdir(top);
  const visit = async (at: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    walked.folders.push(at);
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && depth < deepest) await visit(path, depth + 1);
      else if (entry.isFile())
        walked.found.push(...(await layersOf(path, folder, nameOf(relative(top, path)))));
    }
  };
  await visit(top, 0);
  return walked;
}

async function layersOf(manifest: string, folder: string, name: string): Promise<Found[]> {
  const text = await readSettings(manifest);
  const parsed = manifestSchema.safeParse(parseJson(text));
  const layers = parsed.success ? parsed.data.layers : [];
  const found = layers.map(async ({ mediaType, digest }): Promise<Found[]> => {
    const kind = layerKinds.get(mediaType);
    if (kind === undefined) return [];
    const path = join(folder, 'blobs', digest.replace(':', '-'));
    try {
      const [{ size, mtimeMs }, realPath] = await Promise.all([stat(path), realpath(path)]);
      const sha256 = digest.slice('sha256:'.length);
      return [
        { kind: 'gguf', path, realPath, bytes: size, modifiedAt: mtimeMs, name: `${name}${kind}`, sha256 },
      ];
    } catch {
      return [];
    }
  });
  return (await Promise.all(found)).flat();
}

/** As Ollama itself shows it: `registry.ollama.ai/library/llama3.2/1b` is `llama3.2:1b`. */
function nameOf(path: string): string {
  const parts = path.split(sep);
  const tag = parts.at(-1) ?? '';
  const model = parts.slice(0, -1);
  if (model[0] === 'registry.ollama.ai') model.shift();
  if (model.length === 2 && model[0] === 'library') model.shift();
  return `${model.join('/')}:${tag}`;
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
