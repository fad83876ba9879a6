import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/file-error.ts';
import { damagedFile } from './damaged.ts';
import { printable, quoted } from './printable.ts';
import { openPytorch } from './pytorch-reader.ts';
import { openSafetensors } from './safetensors-reader.ts';
import { readShardIndex } from './index-file.ts';
import { bytesOf, type Tensor } from './tensor.ts';
import type { TensorFile } from './tensor-file.ts';

/** The files with a model's tensors in a folder, seen as one. */
export interface Shards extends TensorFile {
  readonly format: 'safetensors' | 'pytorch';
  /** Paths of the files, in the order of their names. */
  readonly files: readonly string[];
  /** Sentences on what is odd, but no error. */
  readonly warnings: readonly string[];
}

interface Format {
  name: Shards['format'];
  /** As Transformers calls a model's one file; with `.index.json` behind it, the index of several. */
  usualName: string;
  /** Names of files that can be in this format. */
  pattern: RegExp;
  open(path: string): Promise<TensorFile>;
}

/** The better one first: safetensors need no pickle. */
const formats: readonly Format[] = [
  {
    name: 'safetensors',
    usualName: 'model.safetensors',
    pattern: /\.safetensors(\.zst)?$/,
    open: (path) => openSafetensors(path),
  },
  {
    name: 'pytorch',
    usualName: 'pytorch_model.bin',
    // Beside the weights, trainers leave their own state.
    pattern: /^(?!training_args|optimizer|scheduler|scaler|rng_state).*\.(bin|pt|pth)$/,
    open: (path) => openPytorch(path),
  },
];

const indexSuffix = '.index.json';

/**
 * Opens the tensors of a model in a folder, as Transformers finds them: `model.safetensors`, its index, `pytorch_model.bin`, its
 * index; and otherwise the only file or index with another name. With an index, every tensor must be in the file that it names,
 * and the files have no others. All files stay open until it is disposed of.
 * Errors: `file-missing`, `invalid-input` (no model's file in the folder, or several without an index), `file-damaged`,
 * `unsupported-model`.
 */
export async function openShards(folder: string): Promise<Shards> {
  const names = await listFolder(folder);
  for (const format of formats) {
    const found = chooseFile(names, format, folder);
    if (!found) continue;
    return found.endsWith(indexSuffix)
      ? await openIndexed(join(folder, found), format)
      : await openSingle(join(folder, found), format);
  }
  throw new PunaError(
    'invalid-input',
    `The folder ${folder} has no model in safetensors or PyTorch files.`,
    'Choose the folder with the files of a model, whose names end in .safetensors or .bin.',
  );
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
}

function chooseFile(
  names: readonly string[],
  { usualName, pattern }: Format,
  folder: string,
): string | undefined {
  const usual = [usualName, `${usualName}.zst`, `${usualName}${indexSuffix}`];
  const found = usual.find((name) => names.includes(name));
  if (found) return found;
  const indexes = names.filter(
    (name) => name.endsWith(indexSuffix) && pattern.test(name.slice(0, -indexSuffix.length)),
  );
  const candidates = indexes.length > 0 ? indexes : names.filter((name) => pattern.test(name));
  if (candidates.length <= 1) return candidates[0];
  const [first = '', second = ''] = candidates;
  throw new PunaError(
    'invalid-input',
    `The folder ${folder} has several files that could be the model, such as ${quoted(first)} and ${quoted(second)}.`,
    indexes.length > 0
      ? 'Choose one of the files, or move the others to another folder.'
      : `Download the file ${usualName}${indexSuffix}, if these are its parts, or choose one of the files.`,
  );
}

async function openSingle(path: string, { name, open }: Format): Promise<Shards> {
  return { ...(await open(path)), format: name, files: [path], warnings: [] };
}

async function openIndexed(indexPath: string, { name, open }: Format): Promise<Shards> {
  const { shards, totalBytes } = await readShardIndex(indexPath);
  await using opened = new AsyncDisposableStack();
  const tensors = new Map<string, Tensor>();
  const metadata = new Map<string, string>();
  let bytes = 0;
  const files = [...shards.keys()].sort();
  for (const path of files) {
    const file = opened.use(await open(path));
    checkNames(file, { path, indexPath, named: new Set(shards.get(path)) });
    for (const [key, text] of file.metadata) metadata.set(key, text);
    for (const [key, tensor] of file.tensors) tensors.set(key, tensor);
    bytes += file.bytes;
  }
  const closing = opened.move();
  return {
    ...{ tensors, metadata, bytes, format: name, files },
    warnings: sizeWarnings(tensors, totalBytes, indexPath),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** A file must have the tensors that the index says, and no others: otherwise it is that of another model. */
function checkNames(
  { tensors }: TensorFile,
  { path, indexPath, named }: { path: string; indexPath: string; named: ReadonlySet<string> },
): void {
  for (const name of named) {
    if (!tensors.has(name)) {
      throw damagedFile(
        path,
        `it lacks the tensor ${quoted(name)}, which its index ${printable(indexPath)} names`,
      );
    }
  }
  for (const name of tensors.keys()) {
    if (!named.has(name)) {
      throw damagedFile(
        path,
        `it has the tensor ${quoted(name)}, which its index ${printable(indexPath)} does not place there`,
      );
    }
  }
}

/** Indexes count shared tensors twice, or in the type that they were saved from, so another sum is no error. */
function sizeWarnings(
  tensors: ReadonlyMap<string, Tensor>,
  totalBytes: number | undefined,
  indexPath: string,
): string[] {
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  if (totalBytes === undefined || totalBytes === bytes) return [];
  return [`${indexPath} counts ${totalBytes} bytes of tensors, and its files have ${bytes}.`];
}
