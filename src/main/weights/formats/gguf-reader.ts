import { PunaError } from '../../../shared/error.ts';
import { type ByteSource, withFileSource } from './byte-source.ts';
import { type GgmlType, ggmlTypeById, tensorBytes } from './ggml-types.ts';
import { GgufCursor } from './gguf-cursor.ts';
import { notGguf } from './gguf-mistaken.ts';
import { quoted } from './printable.ts';
import {
  type GgufArray,
  type GgufMetadata,
  type GgufValue,
  type GgufValueType,
  metadataNumber,
  valueBytes,
  valueTypes,
} from './gguf-value.ts';

/** `GGUF` as a little-endian number. */
export const ggufMagic = 0x4655_4747;
export const defaultAlignment = 32;

/** As ggml has it (GGML_MAX_DIMS). */
export const maxDimensions = 4;
/** The largest models have a few thousand; more would only fill the memory. */
const maxTensors = 100_000;
const maxMetadataKeys = 100_000;
/** llama.cpp reads no arrays inside arrays at all; the format allows them. */
const maxArrayDepth = 4;
const maxNestedArrays = 100_000;
/** Of which neighbours can still be told apart. */
const largestNumber = BigInt(Number.MAX_SAFE_INTEGER);

export interface GgufTensor {
  name: string;
  type: GgmlType;
  /** Fastest dimension first, as ggml has it: [in, out] for a weight that is a matrix. */
  shape: readonly number[];
  /** From `dataOffset`, in bytes. */
  offset: number;
  bytes: number;
}

/** Everything in a GGUF file but the numbers of its tensors. */
export interface Gguf {
  version: number;
  metadata: GgufMetadata;
  /** In the order of the file. */
  tensors: readonly GgufTensor[];
  /** Where the tensors' numbers begin, in bytes from the start of the file. */
  dataOffset: number;
  /** Size of the whole file. */
  bytes: number;
}

/**
 * Reads the metadata and the tensor table of a GGUF file (version 2 or 3) without its tensors. The file may come from a
 * stranger: every count, length and offset is checked against the file's size before anything is allocated. `name` is
 * what errors call the file.
 * Errors: `not-gguf`, `file-damaged`, `unsupported-model` (another version or tensor type), `file-missing`, `invalid-input`.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function readGguf(path: string, { name = path }: { name?: string } = {}): Promise<Gguf> {
  return withFileSource(path, (source) => readGgufFrom(source, name));
}

/** The same for bytes that need not be a file. */
export async function readGgufFrom(source: ByteSource, name: string): Promise<Gguf> {
  const cursor = new GgufCursor(source, name);
  const version = await readVersion(source, cursor, name);
  const tensorCount = await cursor.count('the number of tensors', leastTensorBytes);
  const keyCount = await cursor.count('the number of metadata keys', leastKeyBytes);
  if (tensorCount > maxTensors) throw cursor.damaged(`it claims to have ${tensorCount} tensors`);
  if (keyCount > maxMetadataKeys) throw cursor.damaged(`it claims to have ${keyCount} metadata keys`);

  const metadata = await readMetadata(cursor, keyCount);
  const alignment = readAlignment(cursor, metadata);
  const tensors = await readTensors(cursor, tensorCount, name);
  const dataOffset = Math.ceil(cursor.position / alignment) * alignment;
  checkPlaces(cursor, tensors, { alignment, dataOffset, fileBytes: source.size });
  return { version, metadata, tensors, dataOffset, bytes: source.size };
}

/** Key length, value type and the smallest value. */
const leastKeyBytes = 8 + 4 + 1;
/** Name length, number of dimensions, type, offset. */
const leastTensorBytes = 8 + 4 + 4 + 8;
/** Magic, version and the two counts. */
const leastFileBytes = 4 + 4 + 8 + 8;

async function readVersion(source: ByteSource, cursor: GgufCursor, name: string): Promise<number> {
  if (source.size < 4 || (await cursor.uint32('its first bytes')) !== ggufMagic) {
    throw await notGguf(source, name);
  }
  if (source.size < leastFileBytes) throw cursor.damaged(`it ends after ${source.size} bytes`);
  const version = await cursor.uint32('its version');
  if (version === 2 || version === 3) return version;
  // The same file for a machine of the other byte order has its version's bytes reversed.
  if (version === 0x0200_0000 || version === 0x0300_0000) {
    throw new PunaError(
      'unsupported-model',
      `${name} was made for big-endian machines.`,
      'Look for the usual, little-endian file of this model.',
    );
  }
  throw new PunaError(
    'unsupported-model',
    `${name} is GGUF version ${version}, and Puna reads versions 2 and 3.`,
    version === 1
      ? 'Look for a newer file of this model.'
      : 'Update Puna, or look for another file of this model.',
  );
}

async function readMetadata(cursor: GgufCursor, count: number): Promise<Map<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  const nested = { left: maxNestedArrays };
  for (let index = 0; index < count; index++) {
    const key = await cursor.text(`metadata key ${index + 1} of ${count}`);
    if (metadata.has(key)) throw cursor.damaged(`the metadata key ${quoted(key)} stands twice`);
    const what = `the value of ${quoted(key)}`;
    const type = await readValueType(cursor, what);
    metadata.set(key, await readValue(cursor, type, what, nested));
  }
  return metadata;
}

async function readValueType(cursor: GgufCursor, what: string): Promise<GgufValueType> {
  const id = await cursor.uint32(`the type of ${what}`);
  const type = valueTypes[id];
  if (!type) throw cursor.damaged(`${what} has the unknown type ${id}`);
  return type;
}

async function readValue(
  cursor: GgufCursor,
  type: GgufValueType,
  what: string,
  nested: { left: number },
): Promise<GgufValue> {
  if (type === 'string') return { type, value: await cursor.text(what) };
  if (type === 'array') return readArray(cursor, what, 1, nested);
  await cursor.fill(valueBytes[type], what);
  const value = (await cursor.numbers(type, 1, what))[0] ?? 0;
  if (type === 'bool') return { type, value: value !== 0 };
  return { type, value } as GgufValue;
}

async function readArray(
  cursor: GgufCursor,
  what: string,
  depth: number,
  nested: { left: number },
): Promise<GgufArray> {
  const of = await readValueType(cursor, `the elements of ${what}`);
  const count = await cursor.count(`the number of elements of ${what}`, valueBytes[of]);
  if (of === 'string') return { type: 'array', of, value: await readTexts(cursor, count, what) };
  if (of !== 'array') return { type: 'array', of, value: await cursor.numbers(of, count, what) } as GgufArray;

  nested.left -= count;
  if (depth === maxArrayDepth || nested.left < 0) {
    throw cursor.damaged(`${what} has too many arrays inside each other`);
  }
  const value: GgufArray[] = [];
  for (let index = 0; index < count; index++) value.push(await readArray(cursor, what, depth + 1, nested));
  return { type: 'array', of, value };
}

/** A vocabulary has some 100,000 of them: waiting only where the window ends makes that ten times faster. */
async function readTexts(cursor: GgufCursor, count: number, what: string): Promise<string[]> {
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    if (!cursor.holds(8)) await cursor.fill(8, what);
    const bytes = cursor.checkCount(cursor.takeUint64(), `the length of a text in ${what}`, 1);
    if (!cursor.holds(bytes)) await cursor.fill(bytes, what);
    texts.push(cursor.takeText(bytes));
  }
  return texts;
}

function readAlignment(cursor: GgufCursor, metadata: GgufMetadata): number {
  const alignment = metadataNumber(metadata, 'general.alignment') ?? defaultAlignment;
  const isPowerOfTwo = alignment > 0 && Number.isInteger(Math.log2(alignment));
  if (!isPowerOfTwo || alignment > 2 ** 31) throw cursor.damaged(`its alignment is ${alignment}`);
  return alignment;
}

async function readTensors(cursor: GgufCursor, count: number, name: string): Promise<GgufTensor[]> {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const tensor = await readTensor(cursor, `tensor ${index + 1} of ${count}`, name);
    if (names.has(tensor.name)) throw cursor.damaged(`the tensor ${quoted(tensor.name)} stands twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

async function readTensor(cursor: GgufCursor, which: string, file: string): Promise<GgufTensor> {
  const name = await cursor.text(`the name of ${which}`);
  const what = `tensor ${quoted(name)}`;
  const dimensions = await cursor.uint32(`the number of dimensions of ${what}`);
  if (dimensions > maxDimensions) throw cursor.damaged(`${what} has ${dimensions} dimensions`);
  const shape: number[] = [];
  let numbers = 1n;
  for (let index = 0; index < dimensions; index++) {
    const length = await cursor.uint64(`the shape of ${what}`);
    numbers *= length;
    // No type takes less than an eighth of a byte for a number; this keeps all products exact.
    if (length > largestNumber || numbers > largestNumber)
      throw cursor.damaged(`${what} is too large to be true`);
    shape.push(Number(length));
  }
  const typeId = await cursor.uint32(`the type of ${what}`);
  const offset = await cursor.uint64(`the offset of ${what}`);
  const type = ggmlTypeById(typeId);
  if (!type || type === 'withdrawn') throw unknownTensorType(file, what, typeId, type);
  if ((shape[0] ?? 1) % type.blockSize !== 0) {
    throw cursor.damaged(
      `${what} has rows of ${shape[0]} numbers, no multiple of ${type.name}'s ${type.blockSize}`,
    );
  }
  // An offset beyond what a number holds exactly is beyond every file, too.
  return { name, type, shape, offset: Number(offset), bytes: tensorBytes(type, shape) };
}

function unknownTensorType(file: string, what: string, id: number, type: 'withdrawn' | undefined): PunaError {
  const reason = type ? 'llama.cpp no longer reads' : 'this version of Puna does not know';
  return new PunaError(
    'unsupported-model',
    `In ${file}, ${what} has the type ${id}, which ${reason}.`,
    type ? 'Look for a newer file of this model.' : 'Update Puna, or look for another file of this model.',
  );
}

/** Every tensor lies inside the file, where it is aligned, and no two lie on each other. */
function checkPlaces(
  cursor: GgufCursor,
  tensors: readonly GgufTensor[],
  { alignment, dataOffset, fileBytes }: { alignment: number; dataOffset: number; fileBytes: number },
): void {
  let end = 0;
  for (const { name, offset, bytes } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    const what = `tensor ${quoted(name)}`;
    if (offset % alignment !== 0)
      throw cursor.damaged(`${what} lies at ${offset}, no multiple of ${alignment}`);
    if (offset < end) throw cursor.damaged(`${what} lies on another one`);
    end = offset + bytes;
    if (dataOffset + end > fileBytes) {
      throw cursor.damaged(
        `${what} should end at byte ${dataOffset + end}, but the file ends at ${fileBytes}`,
      );
    }
  }
}
