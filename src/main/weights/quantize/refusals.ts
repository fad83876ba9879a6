import { realpath, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { metadataCount, metadataString, quoted } from '../formats/gguf.ts';
import type { ModelFile } from '../model-file.ts';
import type { ImportanceMatrix } from './importance-matrix.ts';
import type { QuantizeInput } from './messages.ts';
import { layerOf, type PlannedTensor, quantizedTypeOf } from './plan.ts';

/** Errors: `invalid-input` for a file that is no model, `unsupported-model` where it does not tell its architecture. */
export function refuseOtherFiles(file: ModelFile): void {
  const { path, kind, architecture, metadata, tensors } = file;
  const type = metadataString(metadata, 'general.type');
  if (kind === 'adapter') {
    throw new PunaError(
      'invalid-input',
      `${path} is an adapter, which is not quantized.`,
      'Choose the model that it belongs to.',
    );
  }
  if (type === 'imatrix') {
    throw new PunaError('invalid-input', `${path} is an importance matrix, not a model.`, 'Choose a model.');
  }
  if (tensors.length === 0) {
    throw new PunaError('invalid-input', `${path} holds no weights.`, 'Choose a model with its weights.');
  }
  if (architecture === null) {
    throw new PunaError(
      'unsupported-model',
      `${path} does not tell its architecture, which llama.cpp must know.`,
      'Convert the model anew.',
    );
  }
}

/** Errors: `invalid-input` where the output would be a file that is read. */
export async function refuseOverwriting(
  { from, to, imatrix }: QuantizeInput,
  file: ModelFile,
): Promise<void> {
  const read = [from, ...file.files.map(({ path }) => path), ...(imatrix === null ? [] : [imatrix])];
  const target = await realPath(to);
  for (const path of read) {
    if ((await realPath(path)) !== target) continue;
    throw new PunaError(
      'invalid-input',
      `${to} is read and cannot be written.`,
      'Give the output another name.',
    );
  }
}

/** Behind all links; of a file that is not there yet, its folder's. Errors: `file-missing` (the folder). */
async function realPath(path: string): Promise<string> {
  const real = await realpath(path).catch(() => null);
  if (real !== null) return real;
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (thrown) {
    throw fileError(thrown, dirname(path));
  }
}

/** Errors: `invalid-input` where weights would be rounded twice and nobody has asked for that. */
export function refuseRequantizing(
  file: ModelFile,
  plan: readonly PlannedTensor[],
  { requantize }: QuantizeInput,
): void {
  const quantized = quantizedTypeOf(file);
  const isRounded = new Set(file.tensors.filter(({ type }) => type.blockSize > 1).map(({ name }) => name));
  if (
    requantize ||
    quantized === null ||
    !plan.some((tensor) => changes(tensor) && isRounded.has(tensor.name))
  )
    return;
  throw new PunaError(
    'invalid-input',
    `${file.path} is quantized to ${quantized} already, and its errors would add to those of the new type.`,
    'Take the original in F16, BF16 or F32, or allow it with --requantize.',
  );
}

/** Errors: `disk-full` where the output would not fit. */
export async function refuseWithoutSpace(to: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(to)).catch((thrown: unknown) => {
    throw fileError(thrown, dirname(to));
  });
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new PunaError(
    'disk-full',
    `${to} will have ${gigabytes(bytes)}, and its disk has ${gigabytes(free)} left.`,
    'Free some space, choose a smaller type, or another disk.',
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

/** Errors: `invalid-input` where the type cannot be made without an importance matrix, or without this tensor in it. */
export function refuseWithoutImportance(
  plan: readonly PlannedTensor[],
  importance: ImportanceMatrix | null,
  { type, imatrix }: QuantizeInput,
): void {
  const starved = plan.find(({ name, needsImportance }) => needsImportance && !importance?.entries.has(name));
  if (!starved) return;
  throw new PunaError(
    'invalid-input',
    importance
      ? `${imatrix} says nothing of ${quoted(starved.name)}, which cannot become ${starved.to} without it.`
      : `${type} needs an importance matrix: so few bits must go where they matter.`,
    importance
      ? 'Compute it anew from a longer text, or choose a larger type.'
      : 'Give one with --imatrix, compute it with --imatrix-text, or choose a larger type such as Q2_K.',
  );
}

/**
 * Of an importance matrix of the same model all layers are there, but for a few that llama.cpp does not run (those that
 * predict several tokens at once).
 */
const leastCoverage = 0.75;

/**
 * Gives the number of matrices in layers of which the importance matrix says nothing. Errors: `invalid-input` where it is
 * another model's.
 */
export function refuseForeignImportance(
  file: ModelFile,
  plan: readonly PlannedTensor[],
  { entries }: ImportanceMatrix,
  path: string,
): number {
  const foreign = (why: string) =>
    new PunaError(
      'invalid-input',
      `${path} is the importance matrix of another model than ${file.path}: ${why}.`,
      'Choose the one of this model, or compute it from a text.',
    );
  const planned = new Map(plan.map((tensor) => [tensor.name, tensor]));
  const layers = metadataCount(file.metadata, `${file.architecture}.block_count`) ?? Infinity;
  for (const [name, { sums }] of entries) {
    if (layerOf(name) >= layers)
      throw foreign(`it knows ${quoted(name)}, and the model has ${layers} layers`);
    const tensor = planned.get(name);
    const columns = tensor && (tensor.shape[0] ?? 1) * (tensor.shape[2] ?? 1);
    // llama.cpp takes no notice of those of the embeddings, which are looked up and not multiplied.
    if (columns === undefined || columns === sums.length || layerOf(name) < 0) continue;
    throw foreign(`${quoted(name)} has ${columns} columns, and there it has ${sums.length}`);
  }
  const matrices = plan.filter((tensor) => layerOf(tensor.name) >= 0 && changes(tensor));
  const missing = matrices.filter(({ name }) => !entries.has(name)).length;
  if (missing > matrices.length * (1 - leastCoverage))
    throw foreign(`it knows ${matrices.length - missing} of the ${matrices.length} matrices to quantize`);
  return missing;
}

function changes({ from, to }: PlannedTensor): boolean {
  return from !== to;
}
