import { PunaError } from '../../../shared/error.ts';
import { fromFloats, toFloats } from '../../ggml/index.ts';
import { ggmlTypes, quoted } from '../formats/gguf.ts';
import { scratch } from './scratch.ts';
import { bytesOfCount, type Tensor, type TensorType, type TensorTypeName } from '../formats/tensor.ts';

/** Types whose numbers are whole: buffers such as position ids, which no operation on weights may touch. */
const wholeTypes: ReadonlySet<TensorTypeName> = new Set<TensorTypeName>([
  ...(['I8', 'I16', 'I32', 'I64', 'U8', 'U16', 'U32', 'U64', 'BOOL'] as const),
]);

/** Whether a tensor holds weights, in floats of any width or quantized. */
export function hasFloats({ type }: Pick<Tensor, 'type'>): boolean {
  return !wholeTypes.has(type.name);
}

/** Float types that can be computed in without loss of what is stored. */
export function isQuantized({ blockSize }: TensorType): boolean {
  return blockSize > 1;
}

/** So many numbers of a tensor from one on, both whole blocks, as floats. Errors: those of `Tensor.read`, `unsupported-model`. */
export async function readFloats(
  tensor: Tensor,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const floats = new Float32Array(count);
  await readFloatsInto(tensor, start, floats);
  return floats;
}

/** The same into an array that is there. */
export async function readFloatsInto(tensor: Tensor, start: number, floats: Float32Array): Promise<void> {
  if (tensor.type.name === 'F32') {
    return tensor.read(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength), start * 4);
  }
  using lent = scratch.lend(bytesOfCount(tensor.type, floats.length));
  await tensor.read(lent.bytes, bytesOfCount(tensor.type, start));
  decodeInto(tensor, lent.bytes, floats);
}

/** Numbers of a tensor as floats. Those of 64 bits are rounded. Errors: `unsupported-model` (no floats). */
export function decodeFloats(tensor: Tensor, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { blockBytes, blockSize } = tensor.type;
  const floats = new Float32Array((bytes.byteLength / blockBytes) * blockSize);
  decodeInto(tensor, bytes, floats);
  return floats;
}

function decodeInto({ name, type }: Tensor, bytes: Uint8Array, floats: Float32Array): void {
  switch (type.name) {
    case 'F32':
      return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength).set(bytes);
    case 'F64':
      return floats.set(new Float64Array(bytes.slice().buffer));
    case 'F8_E4M3':
      return floats.set(Float32Array.from(bytes, (code) => e4m3[code] ?? NaN));
    case 'F8_E5M2':
      return floats.set(Float32Array.from(bytes, (code) => e5m2[code] ?? NaN));
    default: {
      const ggmlType = ggmlTypes[type.name as keyof typeof ggmlTypes];
      if (ggmlType === undefined || wholeTypes.has(type.name)) {
        throw new PunaError(
          'unsupported-model',
          `The tensor ${quoted(name)} holds whole numbers (${type.name}), where weights are expected.`,
        );
      }
      toFloats(ggmlType, bytes, floats);
    }
  }
}

/**
 * Floats in another type, rounded to nearest even where it is a float type. Quantized types take rows of `rowLength`.
 * Errors: `unsupported-model` for types that are only read.
 */
export function encodeFloats(
  type: TensorType,
  floats: Float32Array,
  rowLength: number = floats.length,
): Uint8Array {
  const bytes = new Uint8Array(bytesOfCount(type, floats.length));
  encodeInto(type, floats, rowLength, bytes);
  return bytes;
}

/** The same into bytes that are there, exactly as many. */
export function encodeInto(
  type: TensorType,
  floats: Float32Array,
  rowLength: number,
  bytes: Uint8Array,
): void {
  const ggmlType = ggmlTypes[type.name as keyof typeof ggmlTypes];
  if (ggmlType === undefined || wholeTypes.has(type.name) || type.name === 'F64') {
    throw new PunaError('unsupported-model', `Puna does not write weights as ${type.name}.`, 'Choose F16.');
  }
  fromFloats(ggmlType, floats, rowLength, bytes);
}

/** All numbers of a float of 8 bits, by its code (OCP 8-bit Floating Point Specification, section 5). */
function float8Table(exponentBits: number, isNaNCode: (code: number) => number | undefined): Float32Array {
  const mantissaBits = 7 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  return Float32Array.from({ length: 256 }, (_, code) => {
    const sign = code >= 128 ? -1 : 1;
    const exponent = (code & 127) >> mantissaBits;
    const mantissa = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
    const special = isNaNCode(code & 127);
    if (special !== undefined) return sign * special;
    return exponent === 0
      ? sign * mantissa * 2 ** (1 - bias)
      : sign * (1 + mantissa) * 2 ** (exponent - bias);
  });
}
/** Without infinities. */
const e4m3 = float8Table(4, (code) => (code === 0x7f ? NaN : undefined));
const e5m2 = float8Table(5, (code) => (code === 0x7c ? Infinity : code > 0x7c ? NaN : undefined));
