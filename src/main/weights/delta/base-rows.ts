import { bytesOfCount, countOf, type Tensor } from '../formats/tensor.ts';
import { encodeFloats, readFloats } from '../tensors/floats.ts';
import { concatenatedRows, inMemory, reshaped } from '../tensors/views.ts';

/** Numbers that are averaged at once. */
const pieceNumbers = 1024 * 1024;

/** A base tensor with rows for added tokens: of zeros, as Vicuna's deltas take them, or of its rows' mean, as Alpaca's do. */
export function withAddedRows(base: Tensor, like: Tensor, added: number, fill: 'zeros' | 'mean'): Tensor {
  const [, ...rest] = like.shape;
  if (added === 0) return reshaped(base, like.shape);
  const columns = countOf({ shape: rest });
  const rows: Tensor =
    fill === 'zeros'
      ? inMemory(
          base.name,
          base.type,
          [added, ...rest],
          new Uint8Array(bytesOfCount(base.type, added * columns)),
        )
      : meanRows(base, added, columns);
  return concatenatedRows(base.name, [base, rows]);
}

function meanRows(base: Tensor, added: number, columns: number): Tensor {
  let mean: Promise<Uint8Array> | null = null;
  return {
    ...{ name: base.name, type: base.type, shape: [added, columns] },
    async read(target, offset) {
      mean ??= meanRow(base, columns);
      const row = await mean;
      for (let at = 0; at < target.byteLength; at++) target[at] = row[(offset + at) % row.byteLength] ?? 0;
    },
  };
}

/** The mean of all rows, in the tensor's own type. */
async function meanRow(base: Tensor, columns: number): Promise<Uint8Array> {
  const rows = base.shape[0] ?? 1;
  const sums = new Float64Array(columns);
  const step = Math.max(1, Math.floor(pieceNumbers / columns));
  for (let row = 0; row < rows; row += step) {
    const floats = await readFloats(base, row * columns, Math.min(step, rows - row) * columns);
    floats.forEach((value, index) => {
      sums[index % columns] = (sums[index % columns] ?? 0) + value;
    });
  }
  return encodeFloats(
    base.type,
    Float32Array.from(sums, (sum) => sum / rows),
    columns,
  );
}
