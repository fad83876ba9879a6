import { bytesOf, bytesOfCount, countOf, type Tensor, type TensorType } from '../formats/tensor.ts';
import { encodeInto, readFloatsInto } from './floats.ts';
import { scratch } from './scratch.ts';

/** The same tensor under another name. */
export function renamed(tensor: Tensor, name: string): Tensor {
  const { type, shape, group = 1 } = tensor;
  return { name, type, shape, group, read: (target, offset) => tensor.read(target, offset) };
}

/** The same bytes in another shape of as many numbers. */
export function reshaped(tensor: Tensor, shape: readonly number[]): Tensor {
  return { ...renamed(tensor, tensor.name), shape };
}

/** A tensor whose numbers lie in memory. */
export function inMemory(
  name: string,
  type: TensorType,
  shape: readonly number[],
  bytes: Uint8Array,
): Tensor {
  return {
    ...{ name, type, shape },
    read: async (target, offset) => target.set(bytes.subarray(offset, offset + target.byteLength)),
  };
}

/** The same numbers in another type, rounded to nearest even; the tensor itself where it has that type. */
export function retyped(tensor: Tensor, type: TensorType): Tensor {
  if (tensor.type.name === type.name) return tensor;
  return elementwise({ ...tensor, type }, [tensor], ([floats]) => floats);
}

/**
 * A tensor that is computed number by number, in 32 bits, from tensors of its size: `compute` gets the same stretch of each of
 * them, may overwrite them, and gives the stretch of the result; it keeps none of them.
 */
export function elementwise(
  { name, type, shape }: Pick<Tensor, 'name' | 'type' | 'shape'>,
  inputs: readonly Tensor[],
  compute: (inputs: readonly [Float32Array, ...Float32Array[]], start: number) => Float32Array,
): Tensor {
  const rowLength = shape.at(-1) ?? 1;
  return {
    ...{ name, type, shape, group: Math.max(1, ...inputs.map((input) => input.group ?? 1)) },
    async read(target, offset) {
      const start = (offset / type.blockBytes) * type.blockSize;
      const count = (target.byteLength / type.blockBytes) * type.blockSize;
      using stack = new DisposableStack();
      const [first, ...others] = inputs.map(() => stack.use(scratch.lend(count * 4)).floats);
      if (!first) throw new Error(`${name} is computed from nothing.`);
      const reads = await Promise.allSettled(
        inputs.map((input, index) =>
          readFloatsInto(input, start, index === 0 ? first : (others[index - 1] ?? first)),
        ),
      );
      // Not at the first failure: the other reads would still write into memory that is lent to somebody else by then.
      for (const read of reads) if (read.status === 'rejected') throw read.reason;
      const row = count % rowLength === 0 ? rowLength : count;
      encodeInto(type, compute([first, ...others], start), row, target);
    },
  };
}

/** Rows of a matrix (or numbers of a vector) one below the other; all have the same type and the same other dimensions. */
export function concatenatedRows(name: string, parts: readonly [Tensor, ...Tensor[]]): Tensor {
  const [{ type, shape }] = parts;
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  return {
    ...{ name, type, shape: [rows, ...shape.slice(1)] },
    async read(target, offset) {
      let at = 0;
      for (const part of parts) {
        const bytes = bytesOf(part);
        const from = Math.max(offset, at);
        const to = Math.min(offset + target.byteLength, at + bytes);
        if (from < to) await part.read(target.subarray(from - offset, to - offset), from - at);
        at += bytes;
      }
    },
  };
}

/** Matrices of as many rows side by side; all have the same type, with blocks of one number. */
export function concatenatedColumns(name: string, parts: readonly [Tensor, ...Tensor[]]): Tensor {
  const [{ type, shape }] = parts;
  const columns = parts.reduce((sum, part) => sum + (part.shape[1] ?? 0), 0);
  const rowBytes = bytesOfCount(type, columns);
  return byRows({ name, type, shape: [shape[0] ?? 0, columns] }, 1, async (firstRow, rows, target) => {
    let left = 0;
    for (const part of parts) {
      const partRowBytes = bytesOfCount(type, part.shape[1] ?? 0);
      const bytes = new Uint8Array(rows * partRowBytes);
      await part.read(bytes, firstRow * partRowBytes);
      for (let row = 0; row < rows; row++) {
        target.set(bytes.subarray(row * partRowBytes, (row + 1) * partRowBytes), row * rowBytes + left);
      }
      left += partRowBytes;
    }
  });
}

/**
 * The rows of each head of a query or key matrix (or bias) in another order: `halves` turns pairs that lie side by side into
 * halves, as Hugging Face rotates, and `pairs` halves into pairs, as Meta and GGUF's `llama` do.
 */
export function rotaryRows(tensor: Tensor, heads: number, to: 'halves' | 'pairs'): Tensor {
  const rows = tensor.shape[0] ?? 0;
  const headRows = rows / heads;
  if (!Number.isInteger(headRows / 2)) throw new Error(`${tensor.name} has ${rows} rows for ${heads} heads.`);
  const half = headRows / 2;
  const sourceRow = (row: number) =>
    to === 'pairs' ? (row % 2) * half + Math.floor(row / 2) : 2 * (row % half) + Math.floor(row / half);
  const rowBytes = bytesOf(tensor) / rows;
  return byRows(tensor, headRows, async (firstRow, count, target) => {
    const bytes = new Uint8Array(target.byteLength);
    await tensor.read(bytes, firstRow * rowBytes);
    for (let row = 0; row < count; row++) {
      const source = row - (row % headRows) + sourceRow(row % headRows);
      target.set(bytes.subarray(source * rowBytes, (source + 1) * rowBytes), row * rowBytes);
    }
  });
}

/**
 * A matrix that is made in groups of so many whole rows: `make` fills the bytes of `rows` rows from `firstRow` on, both
 * multiples of the group. What is read of a group is cut out of it.
 */
export function byRows(
  { name, type, shape }: Pick<Tensor, 'name' | 'type' | 'shape'>,
  group: number,
  make: (firstRow: number, rows: number, target: Uint8Array) => Promise<void>,
): Tensor {
  const rows = shape[0] ?? 1;
  const groupBytes = (bytesOfCount(type, countOf({ shape })) / rows) * group;
  return {
    ...{ name, type, shape, group },
    async read(target, offset) {
      const first = Math.floor(offset / groupBytes);
      const last = Math.ceil((offset + target.byteLength) / groupBytes);
      if (target.byteLength === (last - first) * groupBytes) {
        return make(first * group, (last - first) * group, target);
      }
      const bytes = new Uint8Array((last - first) * groupBytes);
      await make(first * group, (last - first) * group, bytes);
      const start = offset - first * groupBytes;
      target.set(bytes.subarray(start, start + target.byteLength));
    },
  };
}
