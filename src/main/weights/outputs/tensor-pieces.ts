import { bytesOf, type Tensor } from '../formats/tensor.ts';

/**
 * Made at once: large enough that disks and kernels work at full speed, small enough that a few of them, and what they are
 * computed from, take little memory.
 */
const pieceBytes = 8 * 1024 * 1024;
/** So many pieces are being read or computed at any time, while the one before them is written. */
const ahead = 3;

/** The bytes of a tensor from its first to its last, in pieces of whole rows where a row is not larger than a piece. */
export async function* tensorPieces(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const total = bytesOf(tensor);
  const step = stepOf(tensor, total);
  const begun: Promise<Uint8Array>[] = [];
  let next = 0;
  const begin = () => {
    if (next >= total) return;
    const piece = Buffer.allocUnsafeSlow(Math.min(step, total - next));
    const made = tensor.read(piece, next).then(() => piece);
    // It is waited for in its turn; until then nobody listens to its failure.
    made.catch(() => undefined);
    begun.push(made);
    next += piece.byteLength;
  };
  for (let index = 0; index < ahead; index++) begin();
  for (let piece = begun.shift(); piece; piece = begun.shift()) {
    yield await piece;
    begin();
  }
}

/** Bytes of a piece: whole groups of rows, or less than a row where one is larger than a piece. */
function stepOf({ type, shape, group = 1 }: Tensor, total: number): number {
  const rowBytes = shape.length < 2 ? type.blockBytes : total / (shape[0] ?? 1);
  const groups = Math.floor(pieceBytes / (rowBytes * group));
  if (groups > 0) return groups * group * rowBytes;
  return group > 1 ? group * rowBytes : Math.floor(pieceBytes / type.blockBytes) * type.blockBytes;
}
