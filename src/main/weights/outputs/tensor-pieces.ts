import { bytesOf, type Tensor } from '../formats/tensor.ts';
import { scratch } from '../tensors/scratch.ts';

/**
 * Made at once: large enough that disks and kernels work at full speed, small enough that a few of them, and what they are
 * computed from, take little memory.
 */
const pieceBytes = 4 * 1024 * 1024;
/** So many pieces are being read or computed at any time, while the one before them is written. */
const ahead = 3;

/**
 * The bytes of a tensor from its first to its last, in pieces of whole rows where a row is not larger than a piece. A piece must have
 * been taken over before the next one is asked for: its memory is used again.
 */
export async function* tensorPieces(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const total = bytesOf(tensor);
  const step = stepOf(tensor, total);
  using lent = new DisposableStack();
  const begun: Promise<Uint8Array>[] = [];
  let next = 0;
  const begin = (memory: Uint8Array) => {
    if (next >= total) return;
    const piece = memory.subarray(0, Math.min(step, total - next));
    const made = tensor.read(piece, next).then(() => piece);
    // It is waited for in its turn; until then nobody listens to its failure.
    made.catch(() => undefined);
    begun.push(made);
    next += piece.byteLength;
  };
  for (let index = 0; index < ahead; index++) {
    if (next < total) begin(lent.use(scratch.lend(Math.min(step, total))).bytes);
  }
  try {
    for (let piece = begun.shift(); piece; piece = begun.shift()) {
      const bytes = await piece;
      yield bytes;
      begin(new Uint8Array(bytes.buffer));
    }
  } finally {
    // Before their memory is lent to others.
    await Promise.allSettled(begun);
  }
}

/** Bytes of a piece: whole groups of rows, or less than a row where one is larger than a piece. */
function stepOf({ type, shape, group = 1 }: Tensor, total: number): number {
  const rowBytes = shape.length < 2 ? type.blockBytes : total / (shape[0] ?? 1);
  const groups = Math.floor(pieceBytes / (rowBytes * group));
  if (groups > 0) return groups * group * rowBytes;
  return group > 1 ? group * rowBytes : Math.floor(pieceBytes / type.blockBytes) * type.blockBytes;
}
