import { PunaError } from '../../../shared/error.ts';
import { writeAtomically } from '../../storage/atomic-file.ts';
import { ggmlTypes, type GgmlTypeName, tensorBytes } from './ggml-types.ts';
import { defaultAlignment, ggufMagic } from './gguf-reader.ts';
import {
  type GgufArray,
  type GgufMetadata,
  type GgufValue,
  metadataNumber,
  valueTypes,
} from './gguf-value.ts';

/** A tensor to write: its numbers in the bytes of its type, at once or as a stream. */
export interface TensorToWrite {
  name: string;
  type: GgmlTypeName;
  /** Fastest dimension first. */
  shape: readonly number[];
  data: Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);
}

export interface GgufToWrite {
  /** In the order in which it is written; `general.alignment` among it holds for the tensors. */
  metadata: ReadonlyMap<string, GgufValue>;
  tensors: readonly TensorToWrite[];
}

/** The same without the tensors' numbers. */
interface GgufHeader {
  metadata: GgufMetadata;
  tensors: readonly Omit<TensorToWrite, 'data'>[];
}

/**
 * Writes a GGUF file of version 3, tensor by tensor as a stream; the file appears when it is whole. Errors: `disk-full`,
 * `invalid-input` (a tensor's stream has another length than its shape says, or the folder cannot be written).
 */
export async function writeGguf(
  path: string,
  gguf: GgufToWrite,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await writeAtomically(path, ggufPieces(gguf), options);
}

/** The file's bytes in their order. */
export async function* ggufPieces({ metadata, tensors }: GgufToWrite): AsyncGenerator<Uint8Array> {
  const alignment = alignmentOf(metadata);
  yield ggufHeader({ metadata, tensors });
  for (const tensor of tensors) {
    const expected = bytesOf(tensor);
    let written = 0;
    for await (const piece of tensor.data instanceof Uint8Array ? [tensor.data] : tensor.data()) {
      written += piece.byteLength;
      yield piece;
    }
    if (written !== expected) {
      throw new PunaError(
        'invalid-input',
        `The tensor ${tensor.name} has ${written} bytes instead of the ${expected} of its shape.`,
      );
    }
    yield padding(written, alignment);
  }
}

/** Everything before the numbers of the first tensor. Each tensor's are followed by `ggufPadding`. Errors: `invalid-input`. */
export function ggufHeader({ metadata, tensors }: GgufHeader): Uint8Array {
  const alignment = alignmentOf(metadata);
  const header = encodeHeader({ metadata, tensors }, alignment);
  return Buffer.concat([header, padding(header.byteLength, alignment)]);
}

/** Zeros between a tensor of so many bytes and the next one. */
export function ggufPadding(metadata: GgufMetadata, bytes: number): Uint8Array {
  return padding(bytes, alignmentOf(metadata));
}

function alignmentOf(metadata: GgufMetadata): number {
  return metadataNumber(metadata, 'general.alignment') ?? defaultAlignment;
}

function bytesOf({ name, type, shape }: Omit<TensorToWrite, 'data'>): number {
  const { blockSize } = ggmlTypes[type];
  if ((shape[0] ?? 1) % blockSize !== 0) {
    throw new PunaError(
      'invalid-input',
      `The tensor ${name} has rows of ${shape[0]} numbers, no multiple of ${type}'s ${blockSize}.`,
    );
  }
  return tensorBytes(ggmlTypes[type], shape);
}

/** Zeros from `length` to the next multiple of the alignment. */
function padding(length: number, alignment: number): Uint8Array {
  return new Uint8Array(Math.ceil(length / alignment) * alignment - length);
}

function encodeHeader({ metadata, tensors }: GgufHeader, alignment: number): Uint8Array {
  const pieces = [uint32(ggufMagic), uint32(3), uint64(tensors.length), uint64(metadata.size)];
  for (const [key, value] of metadata) {
    pieces.push(text(key), uint32(valueTypes.indexOf(value.type)), ...encodeValue(value));
  }
  let offset = 0;
  for (const tensor of tensors) {
    pieces.push(text(tensor.name), uint32(tensor.shape.length), ...tensor.shape.map(uint64));
    pieces.push(uint32(ggmlTypes[tensor.type].id), uint64(offset));
    offset += Math.ceil(bytesOf(tensor) / alignment) * alignment;
  }
  return Buffer.concat(pieces);
}

function encodeValue(entry: GgufValue): Uint8Array[] {
  if (entry.type === 'string') return [text(entry.value)];
  if (entry.type === 'array') return encodeArray(entry);
  const bytes = Buffer.alloc(8);
  switch (entry.type) {
    case 'uint8':
      return [bytes.subarray(0, bytes.writeUInt8(entry.value))];
    case 'int8':
      return [bytes.subarray(0, bytes.writeInt8(entry.value))];
    case 'uint16':
      return [bytes.subarray(0, bytes.writeUInt16LE(entry.value))];
    case 'int16':
      return [bytes.subarray(0, bytes.writeInt16LE(entry.value))];
    case 'uint32':
      return [bytes.subarray(0, bytes.writeUInt32LE(entry.value))];
    case 'int32':
      return [bytes.subarray(0, bytes.writeInt32LE(entry.value))];
    case 'float32':
      return [bytes.subarray(0, bytes.writeFloatLE(entry.value))];
    case 'float64':
      return [bytes.subarray(0, bytes.writeDoubleLE(entry.value))];
    case 'uint64':
      return [bytes.subarray(0, bytes.writeBigUInt64LE(entry.value))];
    case 'int64':
      return [bytes.subarray(0, bytes.writeBigInt64LE(entry.value))];
    case 'bool':
      return [bytes.subarray(0, bytes.writeUInt8(entry.value ? 1 : 0))];
  }
}

function encodeArray(array: GgufArray): Uint8Array[] {
  const head = [uint32(valueTypes.indexOf(array.of)), uint64(array.value.length)];
  if (array.of === 'string') return [...head, Buffer.concat(array.value.map(text))];
  if (array.of === 'array') return [...head, ...array.value.flatMap(encodeArray)];
  const { buffer, byteOffset, byteLength } = array.value;
  return [...head, new Uint8Array(buffer, byteOffset, byteLength)];
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Uint8Array {
  const content = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(content.byteLength), content]);
}
