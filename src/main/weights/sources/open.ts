import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { type ByteSource, openFileSource } from '../formats/byte-source.ts';
import { openPytorch } from '../formats/pytorch-reader.ts';
import { openSafetensors } from '../formats/safetensors-reader.ts';
import type { Tensor } from '../formats/tensor.ts';
import { isZstd, openZstdSource } from '../formats/zstd-source.ts';
import { splitEnding } from '../model-file.ts';
import { openGgufSource } from './gguf-source.ts';
import { openHuggingFaceSource, usualNames } from './hugging-face-source.ts';
import { isMetaFolder, openMetaSource } from './meta-source.ts';
import type { ModelSource } from './model-source.ts';

/** What a file of weights is, by its first bytes. */
export type WeightsFileForm = 'gguf' | 'safetensors' | 'pytorch';

const zipMagic = 'PK\u0003\u0004';
/** PROTO, the first opcode of a pickle. */
const pickleMark = 0x80;

/**
 * Opens a model wherever it lies: a GGUF file, a folder of Hugging Face or Meta, a folder with one GGUF model, or a lone file of
 * tensors, which has no description. Errors: `file-missing`, `invalid-input`
 * (neither of these), and those of the formats.
 */
export async function openModelSource(path: string): Promise<ModelSource> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  if (found.isDirectory()) return openFolder(path);
  switch (await weightsFileForm(path)) {
    case 'gguf':
      return openGgufSource(path);
    case 'safetensors':
      return openTensors(path, await openSafetensors(path));
    case 'pytorch':
      return openTensors(path, await openPytorch(path));
    case null:
      throw new PunaError(
        'invalid-input',
        `${path} is no file of weights.`,
        'Puna reads GGUF, safetensors and PyTorch files, and folders of them.',
      );
  }
}

/** The form of a file by its first bytes; null where it is none that Puna knows. */
export async function weightsFileForm(path: string): Promise<WeightsFileForm | null> {
  await using file = await openFileSource(path);
  return formOf((await isZstd(file)) ? await openZstdSource(file, path) : file);
}

async function formOf(source: ByteSource): Promise<WeightsFileForm | null> {
  const head = Buffer.alloc(9);
  await source.read(head, 0);
  if (head.toString('latin1', 0, 4) === 'GGUF') return 'gguf';
  // Zip, or what PyTorch wrote before 1.6, of which its reader says what to do.
  if (head.toString('latin1', 0, 4) === zipMagic || head[0] === pickleMark) return 'pytorch';
  // A header of less than 4 GB, and the brace with which it begins; a text has no zeros there.
  return head.readUInt32LE(4) === 0 && head[8] === '{'.charCodeAt(0) ? 'safetensors' : null;
}

async function openFolder(folder: string): Promise<ModelSource> {
  // Hidden ones are what was begun here, or what macOS puts beside files on other systems' disks.
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (await isMetaFolder(folder)) return openMetaSource(folder);
  if (names.some((name) => /\.(safetensors|safetensors\.zst|bin|pth|pt)$/.test(name))) {
    return openHuggingFaceSource(folder);
  }
  const models = names.filter((name) => name.endsWith('.gguf') && !isLaterPart(name));
  if (models.length === 1 && models[0]) return openGgufSource(join(folder, models[0]));
  if (models.length > 1) {
    throw new PunaError('invalid-input', `${folder} has ${models.length} models.`, 'Name one of its files.');
  }
  throw new PunaError(
    'invalid-input',
    `${folder} has no weights.`,
    'Name a folder with .safetensors, .bin, .pth or .gguf files.',
  );
}

function isLaterPart(name: string): boolean {
  return splitEnding.test(name) && !/-0*1-of-\d{5}\.gguf$/i.test(name);
}

function openTensors(
  path: string,
  opened: { tensors: ReadonlyMap<string, Tensor> } & AsyncDisposable,
): ModelSource {
  return {
    ...{ path, layout: 'hugging-face', architecture: null, description: null },
    tensors: usualNames(opened.tensors),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
