import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { findMistaken, type Mistaken } from './mistaken.ts';
import { quoted } from './printable.ts';
import {
  lengthBytes,
  maxDimensions,
  maxHeaderBytes,
  maxTensors,
  metadataName,
  safetensorsType,
} from './safetensors-types.ts';
import { parseStrictJson } from './strict-json.ts';
import type { Tensor } from './tensor.ts';
import {
  type Contents,
  type OpenOptions,
  openTensorFile,
  storedTensor,
  type TensorFile,
  type TensorFileOrigin,
} from './tensor-file.ts';

/** A header has three levels; names, types, offsets and dimensions of every tensor are some ten values. */
const jsonLimits = { depth: 8, values: maxTensors * 20 };

/**
 * Opens a safetensors file, which may come from a stranger: every length and offset is checked against the file's size before
 * anything is allocated. Tensors come in the order of their bytes. A source that is given is closed with the file.
 * Errors: `file-damaged`, `unsupported-model` (a type of numbers that Puna does not read), `invalid-input` (another kind of
 * file), `file-missing`.
 * Format: https://github.com/huggingface/safetensors#format
 */
export function openSafetensors(origin: TensorFileOrigin, options: OpenOptions = {}): Promise<TensorFile> {
  return openTensorFile(origin, options, readContents);
}

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(maxDimensions),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

interface Entry {
  name: string;
  type: Tensor['type'];
  shape: readonly number[];
  /** From the end of the header, in bytes. */
  begin: number;
  end: number;
}

async function readContents(source: ByteSource, name: string): Promise<Contents> {
  const header = await readHeader(source, name);
  const json = parseStrictJson(header, {
    ...{ what: 'its header', limits: jsonLimits },
    damaged: (what) => damagedFile(name, what),
  });
  // A text that begins with a brace is an object.
  const described = Object.entries(json as Record<string, unknown>);
  const entries = described
    .filter(([key]) => key !== metadataName)
    .map(([key, value]) => readEntry(key, value, name));
  if (entries.length > maxTensors) throw damagedFile(name, `it claims to have ${entries.length} tensors`);
  entries.sort((one, other) => one.begin - other.begin || one.end - other.end);
  const dataStart = lengthBytes + header.byteLength;
  checkPlaces(entries, source.size - dataStart, name);
  return {
    metadata: readMetadata(described.find(([key]) => key === metadataName)?.[1] ?? {}, name),
    tensors: new Map(
      entries.map(({ name: key, type, shape, begin }) => [
        key,
        storedTensor({ name: key, type, shape }, { source, start: dataStart + begin, fileName: name }),
      ]),
    ),
  };
}

async function readHeader(source: ByteSource, name: string): Promise<Uint8Array> {
  const start = Buffer.alloc(lengthBytes + 1);
  if ((await source.read(start, 0)) < start.byteLength || start[lengthBytes] !== openBrace) {
    throw await notSafetensors(source, name);
  }
  const length = start.readBigUInt64LE();
  if (length > BigInt(maxHeaderBytes)) {
    throw damagedFile(name, `its header claims ${length} bytes, more than the ${maxHeaderBytes} allowed`);
  }
  if (length > BigInt(source.size - lengthBytes)) {
    throw damagedFile(name, `its header claims ${length} bytes, but the file has ${source.size} in all`);
  }
  const header = new Uint8Array(Number(length));
  if ((await source.read(header, lengthBytes)) < header.byteLength) {
    throw damagedFile(name, 'it ends inside its header');
  }
  return header;
}

const openBrace = 0x7b;

function readEntry(key: string, value: unknown, name: string): Entry {
  const { success, data } = entrySchema.safeParse(value);
  if (!success) {
    throw damagedFile(
      name,
      `the description of the tensor ${quoted(key)} lacks a sound type, shape or place`,
    );
  }
  const type = safetensorsType(data.dtype);
  if (!type) {
    throw new PunaError(
      'unsupported-model',
      `The tensor ${quoted(key)} in ${name} has numbers of type ${quoted(data.dtype)}, which Puna does not read.`,
      'Look for a file of this model in F32, F16 or BF16.',
    );
  }
  const [begin, end] = data.data_offsets;
  const bytes = safeProduct([type.blockBytes, ...data.shape]);
  if (bytes === undefined || begin + bytes !== end) {
    throw damagedFile(
      name,
      `the tensor ${quoted(key)} of shape [${data.shape.join(', ')}] in ${type.name} does not fill its place from ${begin} to ${end}`,
    );
  }
  return { name: key, type, shape: data.shape, begin, end };
}

/** Undefined where a factor of it alone is too large to be told apart from its neighbours, even if another one is 0. */
function safeProduct(factors: readonly number[]): number | undefined {
  let product = 1;
  for (const factor of factors) {
    product *= factor;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  return product;
}

/** Tensors must follow each other without gaps or overlaps and fill the file to its end. */
function checkPlaces(entries: readonly Entry[], dataBytes: number, name: string): void {
  let filled = 0;
  for (const { name: key, begin, end } of entries) {
    if (begin !== filled) {
      const wrong = begin > filled ? `leaves a gap before it` : `overlaps the one before it`;
      throw damagedFile(name, `the tensor ${quoted(key)} ${wrong}`);
    }
    if (end > dataBytes) {
      throw damagedFile(
        name,
        `the tensor ${quoted(key)} ends at ${end}, but there are ${dataBytes} bytes of tensors`,
      );
    }
    filled = end;
  }
  if (filled < dataBytes)
    throw damagedFile(name, `${dataBytes - filled} bytes at its end belong to no tensor`);
}

function readMetadata(value: unknown, name: string): Map<string, string> {
  const metadata = new Map<string, string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damagedFile(name, 'its metadata is not a list of names and texts');
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw damagedFile(name, `its metadata ${quoted(key)} is not a text`);
    metadata.set(key, text);
  }
  return metadata;
}

/** What people take for a safetensors file. */
const mistaken: readonly Mistaken[] = [
  { start: 'GGUF', is: 'a GGUF model', remedy: 'Choose it where a GGUF model is asked for.' },
  {
    start: 'PK',
    is: 'a ZIP archive or a PyTorch checkpoint',
    remedy: 'Unpack it, or give a checkpoint its name back, which ends in .bin, .pt or .pth.',
  },
];

async function notSafetensors(source: ByteSource, name: string): Promise<PunaError> {
  if (source.size === 0) {
    return new PunaError('invalid-input', `${name} is empty.`, 'Download or copy the file again.');
  }
  const found = await findMistaken(source, mistaken);
  if (found) {
    return new PunaError('invalid-input', `${name} is ${found.is}, not a safetensors file.`, found.remedy);
  }
  return new PunaError(
    'invalid-input',
    `${name} is not a safetensors file, whose header begins with a brace.`,
    'Choose a file in the safetensors format, or download this one again.',
  );
}
