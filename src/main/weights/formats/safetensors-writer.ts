import { PunaError } from '../../../shared/error.ts';
import { quoted } from './printable.ts';
import {
  headerAlignment,
  lengthBytes,
  maxHeaderBytes,
  maxTensors,
  metadataName,
  safetensorsType,
} from './safetensors-types.ts';
import { bytesOf, type Tensor } from './tensor.ts';

/** What a header says of a tensor. */
export type DescribedTensor = Pick<Tensor, 'name' | 'type' | 'shape'>;

/**
 * The beginning of a safetensors file: the header's length, and the header as the reference writes it, for tensors whose bytes
 * follow in the given order without gaps. Programs that map files into memory want each tensor at a multiple of its numbers'
 * size: `inAlignedOrder` sees to it.
 * Errors: `invalid-input` (a name twice or reserved, a type that safetensors does not have, too many tensors).
 */
export function safetensorsHeader(
  tensors: readonly DescribedTensor[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  checkTensors(tensors);
  // Written piece by piece: an object would put names that are numbers first.
  const members = metadata.size > 0 ? [member(metadataName, textMembers(metadata))] : [];
  let begin = 0;
  for (const tensor of tensors) {
    const end = begin + bytesOf(tensor);
    const { type, shape } = tensor;
    members.push(
      member(tensor.name, JSON.stringify({ dtype: type.name, shape, data_offsets: [begin, end] })),
    );
    begin = end;
  }
  const json = Buffer.from(`{${members.join(',')}}`, 'utf8');
  const length = Math.ceil(json.byteLength / headerAlignment) * headerAlignment;
  if (length > maxHeaderBytes) {
    throw new PunaError(
      'invalid-input',
      `The names and texts of this model take ${length} bytes, and a safetensors header has at most ${maxHeaderBytes}.`,
      'Leave out metadata.',
    );
  }
  const header = Buffer.alloc(lengthBytes + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  header.set(json, lengthBytes);
  return header;
}

/** Numbers of more bytes first, otherwise in the given order: so every tensor lies at a multiple of its numbers' size. */
export function inAlignedOrder<Described extends DescribedTensor>(
  tensors: readonly Described[],
): Described[] {
  return tensors.toSorted((one, other) => other.type.blockBytes - one.type.blockBytes);
}

function checkTensors(tensors: readonly DescribedTensor[]): void {
  if (tensors.length > maxTensors) {
    throw new PunaError('invalid-input', `${tensors.length} tensors are too many for one safetensors file.`);
  }
  const names = new Set<string>();
  for (const { name, type, shape } of tensors) {
    if (name === metadataName || !name.isWellFormed()) {
      throw new PunaError(
        'invalid-input',
        `A tensor in a safetensors file cannot be called ${quoted(name)}.`,
      );
    }
    if (names.has(name)) {
      throw new PunaError(
        'invalid-input',
        `The tensor ${quoted(name)} would be in the safetensors file twice.`,
      );
    }
    names.add(name);
    if (!safetensorsType(type.name)) {
      throw new PunaError(
        'invalid-input',
        `The tensor ${quoted(name)} is in ${type.name}, which a safetensors file cannot hold.`,
        'Convert it to F32, F16 or BF16 first.',
      );
    }
    if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
      throw new PunaError(
        'invalid-input',
        `The tensor ${quoted(name)} has no sound shape: [${shape.join(', ')}].`,
      );
    }
  }
}

function textMembers(texts: ReadonlyMap<string, string>): string {
  return `{${[...texts].map(([key, text]) => member(key, JSON.stringify(text))).join(',')}}`;
}

function member(key: string, json: string): string {
  return `${JSON.stringify(key)}:${json}`;
}
