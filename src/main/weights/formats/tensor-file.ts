import { type ByteSource, openFileSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { quoted } from './printable.ts';
import { bytesOf, type Tensor } from './tensor.ts';
import { isZstd, openZstdSource } from './zstd-source.ts';

/** An open file, or several, of named tensors; they can be read until it is disposed of. */
export interface TensorFile extends AsyncDisposable {
  /** In the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Texts that the file carries beside its tensors. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Size of the whole file, without compression. */
  readonly bytes: number;
}

/** Where a file's bytes are: under a path, or in a source, which is then closed together with the file. */
export type TensorFileOrigin = string | (ByteSource & Partial<AsyncDisposable>);

export interface OpenOptions {
  /** What errors call the file. */
  name?: string;
}

/** Texts and tensors of a file, as a format's reader finds them. */
export type Contents = Pick<TensorFile, 'tensors' | 'metadata'>;

/**
 * Opens a file, packed with Zstandard or not, and lets a format's reader find its contents; whatever goes wrong, nothing stays
 * open. Errors: those of `openFileSource`, `openZstdSource` and the reader.
 */
export async function openTensorFile(
  origin: TensorFileOrigin,
  { name = nameOf(origin) }: OpenOptions,
  readContents: (source: ByteSource, name: string) => Promise<Contents>,
): Promise<TensorFile> {
  await using opened = new AsyncDisposableStack();
  const stored = typeof origin === 'string' ? await openFileSource(origin) : origin;
  opened.defer(() => stored[Symbol.asyncDispose]?.());
  // Neither a header's length of safetensors nor the start of a ZIP archive can look like this.
  const source = (await isZstd(stored)) ? await openZstdSource(stored, name) : stored;
  const contents = await readContents(source, name);
  const closing = opened.move();
  return { ...contents, bytes: source.size, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

function nameOf(origin: TensorFileOrigin & { path?: string }): string {
  return typeof origin === 'string' ? origin : (origin.path ?? 'The file');
}

/** A tensor whose bytes lie in one piece of a source, from `start` on. */
export function storedTensor(
  described: Pick<Tensor, 'name' | 'type' | 'shape'>,
  { source, start, fileName }: { source: ByteSource; start: number; fileName: string },
): Tensor {
  return {
    ...described,
    async read(target, offset) {
      checkRange(described, target, offset);
      if ((await source.read(target, start + offset)) < target.byteLength) {
        throw damagedFile(fileName, `it ends inside the tensor ${quoted(described.name)}`);
      }
    },
  };
}

/** Fails where a caller asks for bytes outside of a tensor, which would be others' bytes. */
export function checkRange(
  tensor: Pick<Tensor, 'name' | 'type' | 'shape'>,
  target: Uint8Array,
  offset: number,
): void {
  if (offset < 0 || offset + target.byteLength > bytesOf(tensor)) {
    throw new RangeError(`${target.byteLength} bytes from ${offset} on are not all in ${tensor.name}.`);
  }
}
