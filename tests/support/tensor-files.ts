import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, type Tensor } from '../../src/main/weights/formats/tensor.ts';
import type { TensorFile } from '../../src/main/weights/formats/tensor-file.ts';

/** Files of tensors that PyTorch and safetensors have written (tests/fixtures/weights/formats/make.py). */
const folder = join(import.meta.dirname, '../fixtures/weights/formats');

export function tensorFixture(name: string): string {
  return join(folder, name);
}

/** What a tensor is and holds. */
export interface Described {
  type: string;
  shape: readonly number[];
  /** Of its bytes. */
  sha256: string;
}

/** What PyTorch itself says of each tensor in each readable file, by their names. */
export const pytorchSays = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, Described>>>
>;

/** All tensors of a file, read in pieces of that many bytes. */
export async function describeTensors(
  { tensors }: Pick<TensorFile, 'tensors'>,
  pieceBytes?: number,
): Promise<Record<string, Described>> {
  const described: Record<string, Described> = {};
  for (const [name, tensor] of tensors) {
    const sha256 = createHash('sha256')
      .update(await readTensor(tensor, pieceBytes))
      .digest('hex');
    described[name] = { type: tensor.type.name, shape: tensor.shape, sha256 };
  }
  return described;
}

export async function readTensor(tensor: Tensor, pieceBytes = bytesOf(tensor)): Promise<Uint8Array> {
  const bytes = new Uint8Array(bytesOf(tensor));
  for (let offset = 0; offset < bytes.byteLength; offset += pieceBytes) {
    await tensor.read(bytes.subarray(offset, offset + pieceBytes), offset);
  }
  return bytes;
}

/** Pieces put together, each copied before the next one is asked for. */
export async function joined(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}
