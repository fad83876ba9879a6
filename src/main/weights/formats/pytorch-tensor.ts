import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { quoted } from './printable.ts';
import { saveClones, type TensorView } from './pytorch-world.ts';
import { endOf, gather, isContiguous, overlapsItself } from './strided.ts';
import { countOf, type Tensor, type TensorType } from './tensor.ts';
import { checkRange, storedTensor } from './tensor-file.ts';

/**
 * Numbers that a tensor may have beyond those of its storage, by repeating them (`expand`): masks and positions do, but claims of
 * more would only fill the memory.
 */
const maxRepeated = 16 * 1024 * 1024;

/** What a view's tensor reads from. */
interface ViewedFile {
  source: ByteSource;
  fileName: string;
  place: StoredNumbers;
  gathering: Gathering;
}

/** Where the numbers of a storage are, in bytes from the start of the file. */
export interface StoredNumbers {
  readonly start: number;
  readonly bytes: number;
}

/**
 * A view as a tensor whose bytes can be read row by row. Errors: `file-damaged` (its numbers are not all in its storage),
 * `unsupported-model` (a type that Puna does not read).
 */
export function tensorOfView(
  name: string,
  view: TensorView,
  { source, fileName, place, gathering }: ViewedFile,
): Tensor {
  const type = readableType(name, view, fileName);
  checkView(name, view, { type, place, fileName });
  const { shape } = view;
  const { start } = place;
  const described = { name, type, shape };
  if (isContiguous(view)) {
    return storedTensor(described, { source, start: start + view.offset * type.blockBytes, fileName });
  }
  const storage = storedTensor({ name, type, shape: [endOf(view)] }, { source, start, fileName });
  return {
    ...described,
    async read(target, offset) {
      checkRange(described, target, offset);
      const all = await gathering.of(name, () => gather(view, numberBytes(type), storage.read));
      const end = offset + target.byteLength;
      target.set(all.subarray(offset, end));
      if (end === all.byteLength) gathering.forget();
    },
  };
}

/** The bytes of the tensor that was gathered last: one at a time, so that it never takes more memory than the largest. */
export class Gathering {
  #last: { name: string; bytes: Promise<Uint8Array> } | undefined;

  of(name: string, gatherAll: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.#last?.name !== name) {
      this.#last = { name, bytes: gatherAll() };
      this.#last.bytes.catch(() => this.forget());
    }
    return this.#last.bytes;
  }

  forget(): void {
    this.#last = undefined;
  }
}

function readableType(name: string, { type }: TensorView, fileName: string): TensorType {
  if (typeof type !== 'string') return type;
  throw new PunaError(
    'unsupported-model',
    `The tensor ${quoted(name)} in ${fileName} has numbers of type ${quoted(type)}, which Puna does not read.`,
    'Look for a file of this model in F32, F16 or BF16.',
  );
}

function checkView(
  name: string,
  view: TensorView,
  { type, place, fileName }: { type: TensorType; place: StoredNumbers; fileName: string },
): void {
  const { storage, shape } = view;
  const storageType = typeof storage.type === 'string' ? undefined : storage.type;
  const held = Math.floor(place.bytes / (storageType?.blockBytes ?? 1));
  if (held !== storage.length) {
    throw damagedFile(
      fileName,
      `the numbers of the tensor ${quoted(name)} take ${place.bytes} bytes in it, which are not the ${storage.length} promised`,
    );
  }
  const count = countOf(view);
  const available = Math.floor(place.bytes / type.blockBytes);
  if (!(endOf(view) <= available) || !Number.isSafeInteger(shape.reduce(nonzeroProduct, 1))) {
    throw damagedFile(
      fileName,
      `the tensor ${quoted(name)} of shape [${shape.join(', ')}] reaches beyond its ${available} numbers`,
    );
  }
  if (count > available + maxRepeated) {
    throw new PunaError(
      'unsupported-model',
      `The tensor ${quoted(name)} in ${fileName} is ${count} numbers made by repeating fewer.`,
      'Look for another file of this model.',
    );
  }
  if (overlapsItself(view)) {
    throw new PunaError(
      'unsupported-model',
      `The numbers of the tensor ${quoted(name)} in ${fileName} lie over each other.`,
      saveClones,
    );
  }
}

/** A dimension of no numbers must not hide that the others are too large. */
function nonzeroProduct(product: number, length: number): number {
  return product * Math.max(length, 1);
}

function numberBytes({ name, blockBytes }: TensorType): 1 | 2 | 4 | 8 {
  if (blockBytes === 1 || blockBytes === 2 || blockBytes === 4 || blockBytes === 8) return blockBytes;
  throw new Error(`${name} is not a type of single numbers.`);
}
