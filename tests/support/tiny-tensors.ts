import type { TensorToWrite } from '../../src/main/weights/formats/gguf.ts';
import { quantized } from './quantize.ts';
import type { SeededRandom } from './tiny-random.ts';

export type TinyTensorType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_K';

/** Numbers of a tensor as bytes of its type. Rows of Q8_0 are multiples of 32 numbers, those of Q4_K of 256. */
export function encodeNumbers(numbers: Float32Array<ArrayBuffer>, type: TinyTensorType): Uint8Array {
  if (type === 'F32') return bytesOf(numbers);
  if (type === 'F16') return bytesOf(Float16Array.from(numbers));
  return type === 'Q8_0' ? encodeQ8(numbers) : quantized(numbers, type, numbers.length);
}

/** A tensor of which every number is given by its row and column. */
export function matrix(
  name: string,
  shape: [columns: number, rows: number],
  type: TinyTensorType,
  at: (row: number, column: number) => number,
): TensorToWrite {
  const [columns, rows] = shape;
  return {
    ...{ name, type, shape },
    *data() {
      const row = new Float32Array(columns);
      for (let index = 0; index < rows; index++) {
        for (let column = 0; column < columns; column++) row[column] = at(index, column);
        yield encodeNumbers(row, type);
      }
    },
  };
}

/** Like `matrix` with random numbers, but quick enough for a hundred million of them. */
export function randomMatrix(
  name: string,
  shape: [columns: number, rows: number],
  type: TinyTensorType,
  { random, deviation }: { random: SeededRandom; deviation: number },
): TensorToWrite {
  if (type !== 'Q8_0') return matrix(name, shape, type, () => random.spread(deviation));
  const [columns, rows] = shape;
  return {
    ...{ name, type, shape },
    *data() {
      for (let index = 0; index < rows; index++) yield randomQ8(columns, random, deviation);
    },
  };
}

export function ones(name: string, length: number): TensorToWrite {
  return { name, type: 'F32', shape: [length], data: bytesOf(new Float32Array(length).fill(1)) };
}

/** ggml's block_q8_0: a scale (F16) and 32 numbers of 8 bits. */
const q8 = { numbers: 32, bytes: 34, largest: 127 };

/** As ggml's reference does it: the largest magnitude of a block becomes ±127. */
function encodeQ8(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array((numbers.length / q8.numbers) * q8.bytes);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < numbers.length / q8.numbers; block++) {
    const part = numbers.subarray(block * q8.numbers, (block + 1) * q8.numbers);
    const scale = part.reduce((most, number) => Math.max(most, Math.abs(number)), 0) / q8.largest;
    const at = block * q8.bytes;
    view.setFloat16(at, scale, true);
    part.forEach((number, index) =>
      view.setInt8(at + 2 + index, scale === 0 ? 0 : Math.round(number / scale)),
    );
  }
  return bytes;
}

/** Random bytes are random weights: evenly spread over the 256 values, four of them from one draw. */
function randomQ8(columns: number, random: SeededRandom, deviation: number): Uint8Array {
  const bytes = new Uint8Array((columns / q8.numbers) * q8.bytes);
  const view = new DataView(bytes.buffer);
  const scale = deviation / (256 / Math.sqrt(12));
  for (let at = 0; at < bytes.length; at += q8.bytes) {
    view.setFloat16(at, scale, true);
    for (let index = 2; index < q8.bytes; index += 4) view.setUint32(at + index, random.uint32(), true);
  }
  return bytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
