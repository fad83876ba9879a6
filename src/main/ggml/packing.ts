import type { GgmlTypeName } from '../weights/formats/gguf.ts';
import type { Backend } from './backend.ts';
import type { Pointer } from './declarations.ts';
import { Operations } from './operations.ts';

/**
 * In which of its device's packings a backend multiplies a matrix [in, out] of a type faster; null: in none. What is packed can
 * only be multiplied, not read, and is written as a whole.
 */
export function packingFor(
  backend: Backend,
  type: GgmlTypeName,
  [width, height]: readonly [number, number],
): Pointer<'buffer_type'> | null {
  return (
    backend.device.packings.find((packing) => {
      using g = new Operations(backend, { tensors: 4 });
      const matrix = g.create(type, width, height);
      using _place = g.describe(packing);
      return backend.supports(g.mulMat(matrix, g.create('F32', width, 1)));
    }) ?? null
  );
}
