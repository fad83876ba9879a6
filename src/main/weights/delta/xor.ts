import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PunaError } from '../../../shared/error.ts';
import { type FolderFile, type ResumableOptions, writeFolderResumably } from '../../storage/index.ts';
import { openFileSource } from '../formats/byte-source.ts';
import { quoted } from '../formats/gguf.ts';
import { weightsFileForm } from '../sources/open.ts';
import { openModelSource } from '../sources/open.ts';

/** Files of weights, which a XOR delta has turned into what no program reads. */
const weightsFile = /\.(bin|safetensors|pth|pt)$/;

/**
 * Whether a folder holds the bytes of a model XOR those of its base, file by file, as Open Assistant published its models: weights
 * that are in no known form, while the base has files of the same names.
 */
export async function isXorDelta(base: string, delta: string): Promise<boolean> {
  const [mine, theirs] = await Promise.all([filesOf(base), filesOf(delta)]);
  const weights = theirs.filter((name) => weightsFile.test(name));
  if (weights.length === 0 || !weights.every((name) => mine.includes(name))) return false;
  const forms = await Promise.all(weights.map((name) => weightsFileForm(join(delta, name))));
  return forms.every((form) => form === null);
}

/** Large enough that disks work at full speed. */
const pieceBytes = 1024 * 1024;

/** Bytes of the result, as far as they are known: packed files tell only when they are unpacked. */
export async function xorBytes(delta: string): Promise<number> {
  const sizes = await Promise.all(
    (await filesOf(delta)).map(async (name) => (await stat(join(delta, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Writes the model of a base and a XOR delta (xor_codec.py of Open Assistant): every byte of a file XOR the same byte of the base's file of
 * that name, which counts as zero behind its end; files that the base does not have are taken as they are. Errors: those of
 * `writeFolderResumably`, `invalid-input` (the result is no model: the base was another one).
 */
export async function writeXor(
  { base, delta, out }: { base: string; delta: string; out: string },
  options: ResumableOptions,
): Promise<void> {
  const mine = await filesOf(base);
  const files = (await filesOf(delta)).map(async (name): Promise<FolderFile> => {
    const path = join(delta, name);
    const { size: bytes } = await stat(path);
    const basePath = mine.includes(name) ? join(base, name) : null;
    const pieces = (_: unknown, onProgress: (bytes: number) => void) => ({
      // Of packed files nobody knows before how large they are.
      pieces: xored(path, basePath, (done) => onProgress(Math.min(done, bytes))),
    });
    return { name, bytes, content: { pieces } };
  });
  await writeFolderResumably(out, await Promise.all(files), options, async (begun) => {
    await (await openChecked(begun, base))[Symbol.asyncDispose]();
  });
}

async function openChecked(begun: string, base: string): Promise<AsyncDisposable> {
  try {
    return await openModelSource(begun);
  } catch (cause) {
    throw new PunaError(
      'invalid-input',
      `What comes out is no model, so that ${quoted(base)} is not the base, or not in the form, that these files were made from.`,
      'Use the base exactly as the authors describe it; even another version of a converter gives other bytes.',
      { cause },
    );
  }
}

/** The bytes of a file XOR those of the base's, where it has one; tells how many there are. */
async function* xored(
  path: string,
  basePath: string | null,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  await using base = basePath === null ? null : await openFileSource(basePath);
  let offset = 0;
  for await (const piece of (await isGzip(path)) ? unpacked(path) : streamed(path)) {
    if (base) {
      const other = new Uint8Array(piece.byteLength);
      if (offset < base.size) await base.read(other, offset);
      for (let index = 0; index < other.length; index++)
        other[index] = (other[index] ?? 0) ^ (piece[index] ?? 0);
      yield other;
    } else {
      yield piece;
    }
    offset += piece.byteLength;
    onProgress(offset);
  }
}

function streamed(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: pieceBytes });
}

/** Errors: `file-damaged`. */
async function* unpacked(path: string): AsyncGenerator<Uint8Array> {
  // What fails on either side ends both, and is thrown by whoever reads.
  const payload = pipeline(createReadStream(path), createGunzip(), () => undefined);
  try {
    yield* payload;
  } catch (cause) {
    const isZlib = cause instanceof Error && /^Z_/.test((cause as NodeJS.ErrnoException).code ?? '');
    if (!isZlib) throw cause;
    throw new PunaError('file-damaged', `${path} cannot be unpacked.`, 'Download the file again.', { cause });
  }
}

async function isGzip(path: string): Promise<boolean> {
  await using handle = await open(path, 'r');
  const head = Buffer.alloc(3);
  await handle.read(head, 0, head.byteLength, 0);
  // Magic, and the one method that there is.
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted();
}
