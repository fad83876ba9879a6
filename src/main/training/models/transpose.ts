import { type Backend, Graph, Operations, type Tensor } from '../../ggml/index.ts';

/** Rows that are dequantized at once: some megabytes. */
const blockRows = 1024;

/**
 * Fills `target` [out, in] with the transposed numbers of `weights` [in, out], each of any type that its shape allows. Block by
 * block, so that the matrix never exists in F32. `scratch` has at least `scratchBytes(target)`; it is given so that a model of
 * hundreds of matrices needs but one.
 */
export async function transpose(
  backend: Backend,
  weights: Tensor,
  target: Tensor,
  scratch: Uint8Array,
): Promise<void> {
  const [width, height] = weights.shape;
  const block = Math.min(blockRows, height);
  using g = new Operations(backend, { tensors: 16, graphs: [16] });
  using graph = new Graph(g, 16);
  const indexes = g.input('I32', block);
  const turned = g.contiguous(g.transpose(g.getRows(weights, indexes))); // [block, in]
  const result = g.output(target.type === 'F32' ? turned : g.cast(turned, target.type));
  graph.expand(result);
  graph.allocate();

  const [rowBytes, blockBytes] = [bytesOf(target, height), bytesOf(target, block)];
  const bytes = scratch.subarray(0, result.bytes);
  for (let begin = 0; begin < height; begin += block) {
    // The last block may overlap the one before.
    const first = Math.min(begin, height - block);
    backend.write(
      indexes,
      Int32Array.from({ length: block }, (_, index) => first + index),
    );
    await backend.compute(graph);
    backend.readBytes(result, bytes);
    // Piece by piece to where it belongs: the whole would be as large as the weights.
    for (let row = 0; row < width; row++) {
      const piece = bytes.subarray(row * blockBytes, (row + 1) * blockBytes);
      backend.write(target, piece, row * rowBytes + bytesOf(target, first));
    }
  }
}

export function scratchBytes(target: Tensor): number {
  const [height, width] = target.shape;
  return width * bytesOf(target, Math.min(blockRows, height));
}

/** Bytes of so many numbers of a row. */
function bytesOf({ layout }: Tensor, numbers: number): number {
  return (numbers / layout.blockSize) * layout.blockBytes;
}
