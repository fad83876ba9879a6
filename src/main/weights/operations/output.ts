import { readFile, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import {
  begunBytes,
  begunFolderBytes,
  discardBegun,
  discardBegunFolder,
  fileError,
  type ResumableOptions,
  writeAtomically,
} from '../../storage/index.ts';

import type { GgufValue } from '../formats/gguf.ts';
import { countOf } from '../formats/tensor.ts';
import type { WeightsProgress } from '../messages.ts';
import { type FolderType, folderTypes, planFolder, writeFolderPlan } from '../outputs/folder-output.ts';
import { type DirectType, directTypes, planGguf, writeGgufPlan } from '../outputs/gguf-output.ts';
import type { Written } from '../outputs/tensor-units.ts';
import {
  quantizationNamed,
  type QuantizationName,
  quantizationTypes,
} from '../quantize/quantization-types.ts';
import { quantizeGguf } from '../quantize/quantize-gguf.ts';
import { isGgufPath, nameOf } from './paths.ts';
import type { Prepared } from './prepared.ts';

/** How a result is to be written. */
interface Wish {
  out: string;
  /** Null: as in the source. */
  type: string | null;
}

export interface OutputSize {
  /** Of the result. */
  bytes: number;
  /** On the disk at the highest. */
  neededBytes: number;
  notes: readonly string[];
}

interface WriteOptions extends Pick<ResumableOptions, 'signature'> {
  signal: AbortSignal;
  onProgress: (progress: WeightsProgress) => void;
}

/** Bits of a weight that a quantized file has beside its own: scales, and matrices that keep more of them. */
const quantizedOverhead = 1.05;

/** Says how large a result will be. Errors: `invalid-input` (a type that it cannot have), those of the outputs. */
export async function outputSize(prepared: Prepared, { out, type }: Wish): Promise<OutputSize> {
  if (!isGgufPath(out)) {
    const { bytes } = planFolder(prepared.source, { type: folderType(type) });
    return { bytes, neededBytes: bytes, notes: [] };
  }
  const way = ggufWay(type);
  const plan = await planGguf(prepared.source, { type: way.direct });
  if (!way.then) return { bytes: plan.bytes, neededBytes: plan.bytes, notes: plan.notes };
  const weights = plan.tensors.reduce((sum, { tensor }) => sum + countOf(tensor), 0);
  const bitsPerWeight = quantizationNamed(way.then)?.bits ?? 16;
  const bytes = Math.round((weights * bitsPerWeight * quantizedOverhead) / 8);
  return { bytes, neededBytes: plan.bytes + bytes, notes: plan.notes };
}

/** Errors: `disk-full`, before anything is written. */
export async function refuseWithoutSpace({ out }: Wish, { neededBytes }: OutputSize): Promise<void> {
  const free = await freeBytes(out);
  const missing = neededBytes - ((await begunOutputBytes(out)) ?? 0) - free;
  if (missing <= 0) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  throw new PunaError(
    'disk-full',
    `${basename(out)} needs ${gigabytes(neededBytes)}, and the disk of ${dirname(out)} has ${gigabytes(free)} left.`,
    'Free some space, or choose another disk or a smaller type.',
  );
}

/** Errors: `file-missing` (the folder). */
export async function freeBytes(out: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(out)).catch((thrown: unknown) => {
    throw fileError(thrown, dirname(out));
  });
  return bavail * bsize;
}

/** Errors: `invalid-input` where something of that name is there. */
export async function refuseExisting(out: string): Promise<void> {
  if (!isGgufPath(out)) return;
  if (await stat(out).catch(() => null)) {
    throw new PunaError('invalid-input', `${out} is there already.`, 'Choose another name, or remove it.');
  }
}

/** What is there of an earlier try; null where there is nothing. */
export async function begunOutputBytes(out: string): Promise<number | null> {
  const sizes = await Promise.all([
    ...[begunBytes(out), begunFolderBytes(out), begunBytes(unquantized(out))],
    // Whole, and not yet quantized.
    stat(unquantized(out)).then(
      ({ size }) => size,
      () => null,
    ),
  ]);
  return sizes.every((size) => size === null)
    ? null
    : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** Removes what is there of an earlier try. */
export async function discardOutput(out: string): Promise<void> {
  await discardBegun(out);
  await discardBegunFolder(out);
  await discardBegun(unquantized(out));
  await discardUnquantized(out);
}

/** Writes a prepared model. Errors: those of the outputs. */
export async function writeOutput(
  prepared: Prepared,
  { out, type }: Wish,
  { signature, signal, onProgress }: WriteOptions,
): Promise<Written> {
  const { after, trailers, compress = false, keepsName = false, source } = prepared;
  const extras = { ...(after && { after }), ...(trailers && { trailers }) };
  const resumable = (total: number): ResumableOptions => ({
    ...{ signature, signal },
    // Small files and what stands behind the tensors are not in the plan.
    onProgress: (done) => onProgress({ phase: 'writing', done: Math.min(done, total), total }),
  });
  if (!isGgufPath(out)) {
    const output = { type: folderType(type), compress, ...extras };
    const plan = planFolder(source, output);
    return writeFolderPlan(plan, out, output, resumable(plan.bytes));
  }
  const way = ggufWay(type);
  const plan = await planGguf(source, {
    ...{ type: way.direct, metadata: madeFromMetadata(prepared) },
    ...(!keepsName && { name: nameOf(out) }),
  });
  const write = async (path: string): Promise<Written> => {
    const { said, notes } = await writeGgufPlan(plan, path, extras, resumable(plan.bytes));
    return { said, notes: [...plan.notes, ...notes] };
  };
  if (!way.then) return write(out);
  const path = unquantized(out);
  const written = (await wholeUnquantized(out, signature)) ?? (await write(path));
  await keepUnquantized(out, signature, written);
  const { size: bytes } = await stat(path);
  await quantizeGguf(
    {
      ...{ from: path, to: out, type: way.then, imatrix: null, threads: null },
      ...{ keepOutput: false, pure: false, requantize: true },
    },
    {
      signal,
      onEvent: (event) => {
        if (event.type !== 'progress') return;
        onProgress({ phase: 'quantizing', done: Math.round(event.progress * bytes), total: bytes });
      },
    },
  );
  await discardUnquantized(out);
  return written;
}

/** Where a model lies that is still to be quantized. */
function unquantized(out: string): string {
  return join(dirname(out), `.${nameOf(out)}.unquantized.gguf`);
}

/** Beside it: of what operation it is, and what came of writing it. */
function unquantizedJournal(out: string): string {
  return join(dirname(out), `.${nameOf(out)}.unquantized.json`);
}

const unquantizedSchema = z.object({
  signature: z.string(),
  said: z.array(z.tuple([z.string(), z.string()])),
  notes: z.array(z.string()),
});

/** What came of writing a model that only waits to be quantized; null where there is none, or it is of another operation. */
async function wholeUnquantized(out: string, signature: string): Promise<Written | null> {
  try {
    await stat(unquantized(out));
    const journal = unquantizedSchema.parse(JSON.parse(await readFile(unquantizedJournal(out), 'utf8')));
    return journal.signature === signature ? { said: new Map(journal.said), notes: journal.notes } : null;
  } catch {
    return null;
  }
}

async function keepUnquantized(out: string, signature: string, { said, notes }: Written): Promise<void> {
  const journal: z.infer<typeof unquantizedSchema> = { signature, said: [...said], notes: [...notes] };
  await writeAtomically(unquantizedJournal(out), [JSON.stringify(journal)]);
}

async function discardUnquantized(out: string): Promise<void> {
  await rm(unquantized(out), { force: true });
  await rm(unquantizedJournal(out), { force: true });
}

/** A type that is written at once, or first another one that is then quantized. */
function ggufWay(type: string | null): { direct: DirectType | null; then: QuantizationName | null } {
  if (type === null) return { direct: null, then: null };
  const name = type.toUpperCase();
  const direct = directTypes.find((known) => known === name);
  if (direct) return { direct, then: null };
  const known = quantizationNamed(name);
  // What is quantized is the source as it is.
  if (known && !known.needsImportance) return { direct: null, then: known.name };
  throw new PunaError(
    'invalid-input',
    known ? `${name} needs an importance matrix.` : `There is no type ${type}.`,
    known
      ? 'Write F16 first, and quantize it with puna quantize and an importance matrix.'
      : `Choose one of ${quantizationTypes.map((each) => each.name).join(', ')}.`,
  );
}

function folderType(type: string | null): FolderType | null {
  if (type === null) return null;
  const found = folderTypes.find((known) => known === type.toUpperCase());
  if (found) return found;
  throw new PunaError(
    'invalid-input',
    `A folder in Hugging Face's form cannot have the type ${type}.`,
    `Choose one of ${folderTypes.join(', ')}, or write a GGUF file: a name that ends in .gguf.`,
  );
}

function madeFromMetadata({ madeFrom }: Prepared): [string, GgufValue][] {
  return [['puna.made_from', { type: 'string', value: JSON.stringify(madeFrom) }]];
}
