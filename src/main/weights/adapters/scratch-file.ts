import { open, rm } from 'node:fs/promises';
import { fileError } from '../../storage/index.ts';
import { type Tensor, tensorTypes } from '../formats/tensor.ts';
import { storedTensor } from '../formats/tensor-file.ts';
import type { Matrix } from './products.ts';

/** A file for matrices that would be too much for the memory; it is removed when it is disposed of. */
export interface ScratchFile extends AsyncDisposable {
  /** Keeps a matrix, and gives it as a tensor in F32. Errors: `disk-full` and others of writing. */
  keep(name: string, matrix: Matrix): Promise<Tensor>;
}

/** Errors: `file-missing` (the folder), `invalid-input` (it cannot be written). */
export async function openScratchFile(path: string): Promise<ScratchFile> {
  const failed = (thrown: unknown) => {
    throw fileError(thrown, path);
  };
  const handle = await open(path, 'w+').catch(failed);
  let size = 0;
  const source = {
    get size() {
      return size;
    },
    async read(target: Uint8Array, offset: number) {
      const { bytesRead } = await handle.read(target, 0, target.byteLength, offset);
      return bytesRead;
    },
  };
  return {
    async keep(name, { rows, columns, numbers }) {
      const start = size;
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      for (let written = 0; written < bytes.byteLength;) {
        const left = bytes.byteLength - written;
        written += (await handle.write(bytes, written, left, start + written).catch(failed)).bytesWritten;
      }
      size += bytes.byteLength;
      const described = { name, type: tensorTypes.F32, shape: [rows, columns] };
      return storedTensor(described, { source, start, fileName: path });
    },
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(path, { force: true });
    },
  };
}
