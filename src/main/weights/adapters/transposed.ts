import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import { isQuantized } from '../tensors/floats.ts';
import { byRows } from '../tensors/views.ts';

/** A matrix [m, n] turned around, [n, m]. Errors: `unsupported-model` for quantized ones, whose blocks cannot be taken apart. */
export function transposed(tensor: Tensor): Tensor {
  const { name, type, shape } = tensor;
  const [rows = 1, columns = 1] = shape;
  if (isQuantized(type)) {
    throw new PunaError(
      'unsupported-model',
      `${quoted(name)} is in ${type.name} and would have to be turned around.`,
      'Take an adapter in F32, F16 or BF16.',
    );
  }
  const { blockBytes } = type;
  return byRows({ name, type, shape: [columns, rows] }, 1, async (first, count, target) => {
    const piece = new Uint8Array(count * blockBytes);
    for (let row = 0; row < rows; row++) {
      await tensor.read(piece, (row * columns + first) * blockBytes);
      for (let index = 0; index < count; index++) {
        const number = piece.subarray(index * blockBytes, (index + 1) * blockBytes);
        target.set(number, (index * rows + row) * blockBytes);
      }
    }
  });
}
