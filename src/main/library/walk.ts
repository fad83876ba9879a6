import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namedSha256 } from './sha256.ts';

/** A file or folder that may be a model; what it is shows when it is read. */
export interface Found {
  kind: 'gguf' | 'weights';
  path: string;
  /** Where links lead to. */
  realPath: string;
  /** Of the first file of a split model. */
  bytes: number;
  modifiedAt: number;
  /** What it is called where it comes from. */
  name?: string | undefined;
  /** SHA-256 that its publisher says, in hexadecimal digits. */
  sha256?: string | undefined;
}

export interface Walked {
  found: Found[];
  /** All folders that were looked into: changes happen in them. */
  folders: string[];
  /** There is more than is looked at. */
  isCut: boolean;
  /** Other files of a name that was asked for. */
  others: string[];
}

export interface WalkOptions {
  signal?: AbortSignal | undefined;
  /** Real paths of folders that are not looked into. */
  except?: readonly string[];
  /** Name of other files that are to be told of. */
  other?: string;
}

/** Folders of models are shallow: publisher, model, quantization. Deeper ones are those of other things. */
const deepest = 12;
/** A person may have added their whole disk. As many files take a second or two to go through. */
const mostEntries = 200_000;
/** The second and later parts of a split model; its first one stands for it. */
const laterPart = /-(?!00001)\d{5}-of-\d{5}\.gguf$/i;
/** Full of files, and never of models. */
const uninteresting = new Set(['node_modules', '__pycache__', 'System Volume Information', '$RECYCLE.BIN']);

/**
 * Finds the GGUF files, and the folders of weights as Hugging Face has them, in a folder and its folders, without opening any. Links are
 * followed, and no folder is looked into twice. Hidden ones are left out, and what cannot be looked at. Errors: those of the system, for
 * the folder itself, and the signal's reason.
 */
export async function walk(top: string, options: WalkOptions = {}): Promise<Walked> {
  const walked: Walked = { found: [], folders: [], isCut: false, others: [] };
  const seen = new Set(options.except);
  let entriesLeft = mostEntries;
  let level = [{ path: top, real: await realpath(top) }];
  await readdir(top);
  for (let depth = 0; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { path, real } of level) {
      options.signal?.throwIfAborted();
      if (seen.has(real)) continue;
      seen.add(real);
      const entries = await readdir(path, { withFileTypes: true }).catch((): Dirent[] => []);
      walked.folders.push(path);
      entriesLeft -= entries.length;
      if (entriesLeft < 0) return { ...walked, isCut: true };
      const looked = await lookInto(path, entries, options);
      walked.found.push(...looked.found);
      walked.others.push(...looked.others);
      if (depth < deepest) next.push(...looked.folders);
      else walked.isCut ||= looked.folders.length > 0;
    }
    level = next;
  }
  return walked;
}

async function lookInto(folder: string, entries: readonly Dirent[], { other }: WalkOptions) {
  const looks = await Promise.all(entries.map((entry) => look(folder, entry)));
  const files = looks.filter((entry) => entry?.kind === 'file');
  const isWeights =
    files.some(({ name }) => name === 'config.json') && files.some(({ name }) => weightsFile.test(name));
  return {
    folders: looks.filter((entry) => entry?.kind === 'folder'),
    found: [
      ...files.filter(({ name }) => ggufFile.test(name) && !laterPart.test(name)).map(foundFile),
      ...(isWeights ? [await foundWeights(folder, files)] : []),
    ],
    others: files.filter(({ name }) => name === other).map(({ path }) => path),
  };
}

const ggufFile = /\.gguf$/i;
const weightsFile = /\.safetensors$/i;
const mayMatter = /\.(gguf|safetensors|json|ya?ml)$/i;

interface SeenFile {
  kind: 'file';
  name: string;
  path: string;
  real: string;
  bytes: number;
  modifiedAt: number;
}

async function look(folder: string, entry: Dirent): Promise<SeenFile | SeenFolder | null> {
  const { name } = entry;
  const path = join(folder, name);
  if (name.startsWith('.') || uninteresting.has(name)) return null;
  if (entry.isFile() && !mayMatter.test(name)) return null;
  if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()) return null;
  try {
    const [found, real] = await Promise.all([stat(path), realpath(path)]);
    if (found.isDirectory()) return { kind: 'folder', path, real };
    if (!found.isFile() || !mayMatter.test(name)) return null;
    return { kind: 'file', name, path, real, bytes: found.size, modifiedAt: found.mtimeMs };
  } catch {
    // A link that leads nowhere, or something that has gone meanwhile.
    return null;
  }
}

interface SeenFolder {
  kind: 'folder';
  path: string;
  real: string;
}

function foundFile({ path, real, bytes, modifiedAt }: SeenFile): Found {
  return { kind: 'gguf', path, realPath: real, bytes, modifiedAt, sha256: namedSha256(real) };
}

/** Its size is that of its weights alone: whether it has changed is what that has to tell. */
async function foundWeights(folder: string, files: readonly SeenFile[]): Promise<Found> {
  const weights = files.filter(({ name }) => weightsFile.test(name) || name === 'config.json');
  return {
    ...{ kind: 'weights', path: folder, realPath: await realpath(folder) },
    bytes: weights.reduce((sum, { bytes }) => sum + bytes, 0),
    modifiedAt: Math.max(...weights.map(({ modifiedAt }) => modifiedAt)),
  };
}
