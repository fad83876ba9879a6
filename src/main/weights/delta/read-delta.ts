import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { type ByteSource, bufferSource, type FileSource, openFileSource } from '../formats/byte-source.ts';
import { bytesOf, countOf, type Tensor } from '../formats/tensor.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { type Corrections, decodeCorrections } from './corrections.ts';
import { correctionsNames, type DeltaProof, parseProof, proofNames } from './proof.ts';

/** What a delta of Puna's own has beside its tensors. */
export interface ProvedDelta extends AsyncDisposable {
  readonly proof: DeltaProof;
  /** Of a tensor; null where it has none. Errors: `file-damaged`. */
  corrections(tensor: Tensor): Promise<Corrections | null>;
}

/** Names and hashes of the largest models known take a few megabytes. */
const maxProofBytes = 64 * 1024 * 1024;

/** The proof that a delta carries; null where it has none, as those of other programs. Errors: `file-damaged`. */
export async function readProvedDelta(delta: ModelSource): Promise<ProvedDelta | null> {
  const kept = delta.description?.form === 'gguf' ? await keptInGguf(delta) : await keptInFolder(delta.path);
  if (!kept) return null;
  const { proof, corrections } = kept;
  return {
    proof,
    async corrections(tensor) {
      const place = proof.tensors[tensor.name]?.corrections;
      if (!place || place.bytes === 0) return null;
      if (place.offset + place.bytes > (corrections?.size ?? 0)) {
        throw new PunaError(
          'file-damaged',
          `${delta.path} does not have all corrections that its proof tells of.`,
          'Download the delta again.',
        );
      }
      const bytes = new Uint8Array(place.bytes);
      await corrections?.read(bytes, place.offset);
      return decodeCorrections(bytes, countOf(tensor), delta.path);
    },
    [Symbol.asyncDispose]: async () => kept.close(),
  };
}

interface Kept {
  proof: DeltaProof;
  corrections: ByteSource | null;
  close(): Promise<void>;
}

/** Of a lone file of tensors the proof lies beside it, as of those in a folder. */
async function keptInFolder(delta: string): Promise<Kept | null> {
  const folder = (await stat(delta)).isDirectory() ? delta : dirname(delta);
  const path = join(folder, proofNames.file);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return null;
  if (found.size > maxProofBytes) throw tooLarge(path);
  const proof = parseProof(await readFile(path, 'utf8'), path);
  const correctionsPath = join(folder, correctionsNames.file);
  const hasCorrections = (await stat(correctionsPath).catch(() => null))?.isFile() ?? false;
  const file: FileSource | null = hasCorrections ? await openFileSource(correctionsPath) : null;
  return { proof, corrections: file, close: async () => file?.[Symbol.asyncDispose]() };
}

async function keptInGguf({ path, description }: ModelSource): Promise<Kept | null> {
  if (description?.form !== 'gguf') return null;
  const named = (name: string) => description.extraTensors.find((tensor) => tensor.name === name);
  const stored = named(proofNames.tensor);
  if (!stored) return null;
  if (bytesOf(stored) > maxProofBytes) throw tooLarge(path);
  const bytes = new Uint8Array(bytesOf(stored));
  await stored.read(bytes, 0);
  const corrections = named(correctionsNames.tensor);
  return {
    proof: parseProof(Buffer.from(bytes).toString('utf8'), path),
    corrections: corrections ? tensorSource(corrections) : bufferSource(new Uint8Array()),
    close: async () => undefined,
  };
}

function tensorSource(tensor: Tensor): ByteSource {
  return {
    size: bytesOf(tensor),
    async read(target, offset) {
      await tensor.read(target, offset);
      return target.byteLength;
    },
  };
}

function tooLarge(where: string): PunaError {
  return new PunaError(
    'file-damaged',
    `The hashes in ${where} are too large to be true.`,
    'Download the delta again.',
  );
}
