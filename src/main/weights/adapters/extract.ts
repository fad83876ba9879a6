import { basename } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { baseMetadata } from '../base-model.ts';
import { layerOf } from '../delta/changes.ts';
import type { GgufValue } from '../formats/gguf.ts';
import { listed, quoted } from '../formats/printable.ts';
import { bytesOf, type Tensor } from '../formats/tensor.ts';
import { readModelFile } from '../model-file.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { hasFloats } from '../tensors/floats.ts';
import { type Adapter, type AdapterModule, largestRank } from './adapter.ts';
import { Difference } from './difference.ts';
import {
  type ExtractedMatrix,
  type ExtractionReport,
  Extraction,
  type OtherChange,
} from './extraction-report.ts';
import { lowRank, lowRankProducts } from './low-rank.ts';
import type { Products } from './products.ts';
import { openScratchFile, type ScratchFile } from './scratch-file.ts';

export interface ExtractOptions {
  /** Numbers between A and B; less where a matrix has fewer rows or columns. */
  rank: number;
  seed?: number;
  products: Products;
  /** A file that A and B are kept in until the adapter is disposed of. */
  scratch: string;
  signal?: AbortSignal;
  /** Called after each matrix: how much of the target's matrices is done, in bytes. */
  onProgress?: (done: number, total: number) => void;
  /** Called after each matrix that differs. */
  onMatrix?: (matrix: ExtractedMatrix) => void;
}

export interface ExtractedAdapter extends Adapter {
  readonly report: ExtractionReport;
}

/** Where the adapter's metadata keeps the report. */
const reportKey = 'puna.extraction';

/**
 * The difference between two models of one shape as a LoRA adapter of the base: of every projection matrix of the layers the best
 * approximation of some rank, as far as a randomised decomposition finds it (`lowRank`), with scale 1. What differs besides
 * (embeddings, norms, biases) is reported only. The adapter has its own numbers: base and target may be closed.
 * Errors: `invalid-input` (no such matrices, or they have other shapes, or there is no difference), and those of reading.
 */
export async function extractAdapter(
  base: ModelSource,
  target: ModelSource,
  options: ExtractOptions,
): Promise<ExtractedAdapter> {
  const { rank, seed = 0 } = options;
  const pairs = projectionPairs(base, target);
  const extraction = new Extraction(rank, seed);
  await using opened = new AsyncDisposableStack();
  const scratch = opened.use(await openScratchFile(options.scratch));
  const modules = new Map<string, AdapterModule>();
  const total = targetBytes(pairs);
  let done = 0;
  for (const pair of pairs) {
    options.signal?.throwIfAborted();
    const found = await extractMatrix(pair, scratch, { ...options, seed });
    if (found) {
      modules.set(pair.name, found.module);
      extraction.add(found.matrix);
      options.onMatrix?.(found.matrix);
    }
    done += bytesOf(pair.target);
    options.onProgress?.(done, total);
  }
  if (modules.size === 0) {
    throw new PunaError(
      'invalid-input',
      `${base.path} and ${target.path} do not differ in any matrix that an adapter could change.`,
      'Choose two models of which one was trained from the other.',
    );
  }
  const report = extraction.report(await otherChanges(base, target, options.signal));
  const closing = opened.move();
  return {
    ...{ path: `${target.path} − ${base.path}`, layout: 'gguf', modules, report },
    architecture: base.architecture?.name ?? null,
    ...{ rank: largestRank(modules), alpha: rank, rankStabilized: false },
    baseName: basename(base.path),
    ...{ heads: null, config: null },
    metadata: new Map([...(await fingerprint(base)), [reportKey, text(JSON.stringify(report))]]),
    notes: notesOn(report),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/**
 * What `extractAdapter` will take and give at most: bytes of the adapter, multiplications, and bytes that are read. Errors: those
 * of models that are not of one shape.
 */
export function estimateExtraction(
  base: ModelSource,
  target: ModelSource,
  rank: number,
): { bytes: number; products: number; readBytes: number } {
  const pairs = projectionPairs(base, target);
  const measures = pairs.map(({ base: { shape } }) => {
    const [rows = 1, columns = 1] = shape;
    const narrow = Math.min(rank, rows, columns);
    return { bytes: 4 * (rows + columns) * narrow, products: lowRankProducts(rows, columns, rank) };
  });
  return {
    bytes: measures.reduce((sum, { bytes }) => sum + bytes, 0),
    products: measures.reduce((sum, { products }) => sum + products, 0),
    readBytes: targetBytes(pairs) + pairs.reduce((sum, pair) => sum + bytesOf(pair.base), 0),
  };
}

function targetBytes(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, { target }) => sum + bytesOf(target), 0);
}

interface Pair {
  readonly name: string;
  readonly base: Tensor;
  readonly target: Tensor;
}

/** What people train adapters of: projections of attention and feed-forward, fused or not. */
const projection = /^model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.weight$/;

function projectionPairs(base: ModelSource, target: ModelSource): Pair[] {
  const names = new Set(
    [...base.tensors.keys(), ...target.tensors.keys()].filter((name) => projection.test(name)),
  );
  const unpaired: string[] = [];
  const pairs = [...names].flatMap((name): Pair[] => {
    const [mine, theirs] = [base.tensors.get(name), target.tensors.get(name)];
    if (mine?.shape.length === 2 && mine.shape.join() === theirs?.shape.join()) {
      return [{ name, base: mine, target: theirs }];
    }
    unpaired.push(name);
    return [];
  });
  if (unpaired.length > 0) {
    throw new PunaError(
      'invalid-input',
      `${base.path} and ${target.path} are not of one shape: they differ in that of ${listed(unpaired)}.`,
      'Choose two models of which one was trained from the other.',
    );
  }
  if (pairs.length > 0) return pairs;
  throw new PunaError(
    'unsupported-model',
    `${base.path} has no matrices of which Puna knows that adapters can change them.`,
    'Choose a model of one of the architectures that Puna converts.',
  );
}

async function extractMatrix(
  { name, base, target }: Pair,
  scratch: ScratchFile,
  { rank, seed, products, signal }: ExtractOptions & { seed: number },
): Promise<{ module: AdapterModule; matrix: ExtractedMatrix } | null> {
  const difference = new Difference(base, target);
  const { change, before } = await difference.measure({ keep: true });
  if (change === 0) return null;
  if (!Number.isFinite(change)) {
    throw new PunaError(
      'file-damaged',
      `${quoted(name)} has numbers that are not finite, in one of both models.`,
      'Download or copy them again.',
    );
  }
  const { a, b, left } = await lowRank(difference, {
    rank,
    seed: JSON.stringify([seed, name]),
    products,
    signal,
  });
  const module = {
    a: await scratch.keep(`${name}.lora_A`, a),
    b: await scratch.keep(`${name}.lora_B`, b),
    scale: 1,
  };
  return { module, matrix: { name, layer: layerOf(name), change, before, left } };
}

/** What differs beside the projections; null for what is there in one of both only, or in another shape. */
async function otherChanges(
  base: ModelSource,
  target: ModelSource,
  signal?: AbortSignal,
): Promise<OtherChange[]> {
  const names = new Set(
    [...base.tensors.keys(), ...target.tensors.keys()].filter((name) => !projection.test(name)),
  );
  const changes: OtherChange[] = [];
  for (const name of names) {
    signal?.throwIfAborted();
    const [mine, theirs] = [base.tensors.get(name), target.tensors.get(name)];
    if (mine && theirs && mine.shape.join() === theirs.shape.join()) {
      if (!hasFloats(mine) || !hasFloats(theirs)) continue;
      const { change, before } = await new Difference(mine, theirs).measure({ keep: false });
      if (change > 0) changes.push({ name, change: Math.sqrt(change / before) });
    } else {
      changes.push({ name, change: null });
    }
  }
  return changes;
}

async function fingerprint(base: ModelSource): Promise<[string, GgufValue][]> {
  return base.layout === 'gguf' ? baseMetadata(await readModelFile(base.path)) : [];
}

function text(value: string): GgufValue {
  return { type: 'string', value };
}

function notesOn({ error, others }: ExtractionReport): string[] {
  const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;
  const notes = [`The adapter leaves out ${percent(error)} of the difference.`];
  if (others.length > 0) {
    notes.push(
      `Tensors that differ, too, and that the adapter does not have: ${listed(others.map(({ name }) => name))}.`,
    );
  }
  return notes;
}
