import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Adapter,
  checkAdapterFits,
  estimateExtraction,
  extractAdapter,
  mergedWith,
  openAdapter,
  planAdapterGguf,
  planAdapterPeft,
  Products,
  writeAdapterGguf,
  writeAdapterPeft,
} from '../adapters/index.ts';
import { peakMemoryBytes } from '../../engine/peak-memory.ts';
import { changesIn, TensorChanges } from '../delta/changes.ts';
import type { WeightsOperation, WeightsPlan, WeightsProof, WeightsResult } from '../messages.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { openModelSource } from '../sources/open.ts';
import { folderOrFileBytes } from './bytes.ts';
import { isGoneOnWith } from './failure.ts';
import { begunOutputBytes, discardOutput, freeBytes, refuseExisting, refuseWithoutSpace } from './output.ts';
import { isGgufPath, nameOf } from './paths.ts';
import type { Prepared } from './prepared.ts';
import type { RunOptions } from './run.ts';
import { signatureOf } from './signature.ts';

type Operation<Kind> = Extract<WeightsOperation, { kind: Kind }>;
type AdapterOperation = Operation<'adapter-convert' | 'adapter-extract'>;

/** A base with adapters in it. */
export async function prepareAdapterMerge(
  { base: basePath, adapters, anyBase }: Operation<'adapter-merge'>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const base = opened.use(await openModelSource(basePath));
  const scaled: { adapter: Adapter; scale: number }[] = [];
  for (const { path, scale } of adapters) {
    const adapter = opened.use(await openAdapter(path, { base }));
    await checkAdapterFits(base, adapter, { anyBase });
    scaled.push({ adapter, scale });
  }
  const changes = new TensorChanges();
  const notes = scaled.flatMap(({ adapter }) => adapter.notes);
  const source = mergedWith(base, scaled, {
    products: opened.use(new Products({ threads: availableParallelism() })),
    onChange: (name, change) => changes.add(name, change),
    onNote: (text) => notes.push(text),
  });
  notes.push(...source.notes);
  return {
    ...{ source, notes, changes: changesIn, after: (name) => changes.said(name) },
    prove: () => ({
      kind: 'exact',
      text: 'Every weight that changes is W + scale · (alpha / r) · B·A, computed in 32 bits and rounded once.',
    }),
    madeFrom: {
      operation: 'base + adapters',
      inputs: {
        base: nameOf(basePath),
        ...Object.fromEntries(
          adapters.map(({ path, scale }, index) => [`adapter ${index + 1}`, `${nameOf(path)} × ${scale}`]),
        ),
      },
    },
  };
}

/** Adapters are read and written at about this pace, in bytes a second. */
const usualBytesPerSecond = 300e6;
/** Multiplications that a core does in a second, together with the additions. */
const usualProductsPerSecond = 10e9;

/** Says what making or converting an adapter will take and give. */
export async function planAdapter(operation: AdapterOperation): Promise<WeightsPlan> {
  await using opened = new AsyncDisposableStack();
  const { out } = operation;
  const usual = { freeBytes: await freeBytes(out), begunBytes: (await begunOutputBytes(out)) ?? 0 };
  if (operation.kind === 'adapter-extract') {
    const { base, target } = await openPair(operation, opened);
    const { bytes, products, readBytes } = estimateExtraction(base, target, operation.rank);
    const seconds =
      readBytes / usualBytesPerSecond + products / (usualProductsPerSecond * availableParallelism());
    // The matrices lie in a file of their own until all are there.
    return { ...usual, bytes, neededBytes: 2 * bytes, seconds, notes: [] };
  }
  const { bytes, notes } = await planned(await openConvertible(operation, opened), out);
  return { ...usual, bytes, neededBytes: bytes, seconds: bytes / usualBytesPerSecond, notes: [...notes] };
}

/** Makes or converts an adapter. */
export async function runAdapter(operation: AdapterOperation, options: RunOptions): Promise<WeightsResult> {
  const { out } = operation;
  await refuseExisting(out);
  await using opened = new AsyncDisposableStack();
  try {
    return operation.kind === 'adapter-extract'
      ? await runExtraction(operation, options, opened)
      : await runConversion(operation, options, opened);
  } catch (thrown) {
    if (!isGoneOnWith(thrown)) await discardOutput(out);
    throw thrown;
  }
}

/** Removes what an extraction that died has left. */
export async function discardExtraction(out: string): Promise<void> {
  await rm(scratchOf(out), { force: true });
}

async function runConversion(
  operation: Operation<'adapter-convert'>,
  options: RunOptions,
  opened: AsyncDisposableStack,
): Promise<WeightsResult> {
  const startedAt = performance.now();
  const convertible = await openConvertible(operation, opened);
  const notes = await write(convertible, operation, options);
  return result(operation.out, {
    ...{ startedAt, notes, changes: [] },
    proof: {
      kind: 'exact',
      text: 'Every number is that of the original, but for what the notes say.',
    },
  });
}

async function runExtraction(
  operation: Operation<'adapter-extract'>,
  options: RunOptions,
  opened: AsyncDisposableStack,
): Promise<WeightsResult> {
  const startedAt = performance.now();
  const { out, rank } = operation;
  const { base, target } = await openPair(operation, opened);
  const { bytes } = estimateExtraction(base, target, rank);
  await refuseWithoutSpace({ out, type: null }, { bytes, neededBytes: 2 * bytes, notes: [] });
  const adapter = opened.use(
    await extractAdapter(base, target, {
      ...{ rank, signal: options.signal, scratch: scratchOf(out) },
      products: opened.use(new Products({ threads: availableParallelism() })),
      onProgress: (done, total) => options.emit({ type: 'progress', phase: 'computing', done, total }),
    }),
  );
  const { layers, error } = adapter.report;
  const changes = layers.map(({ layer, change }) => ({ layer, change }));
  for (const change of changes) options.emit({ type: 'change', ...change });
  const worst = Math.max(...layers.map((layer) => layer.error));
  const notes = await write({ adapter, base }, operation, options);
  return result(out, {
    ...{ startedAt, notes, changes },
    proof: {
      kind: 'none',
      text: `Measured: what the adapter leaves out is ${percent(error)} of the difference, ${percent(worst)} in the layer where it is most.`,
    },
  });
}

interface Convertible {
  adapter: Adapter;
  base: ModelSource | null;
}

async function openConvertible(
  { adapter, base: basePath }: Operation<'adapter-convert'>,
  opened: AsyncDisposableStack,
): Promise<Convertible> {
  const base = basePath === null ? null : opened.use(await openModelSource(basePath));
  return { adapter: opened.use(await openAdapter(adapter, { base })), base };
}

async function openPair(
  operation: Operation<'adapter-extract'>,
  opened: AsyncDisposableStack,
): Promise<{ base: ModelSource; target: ModelSource }> {
  const base = opened.use(await openModelSource(operation.base));
  return { base, target: opened.use(await openModelSource(operation.target)) };
}

async function planned({ adapter, base }: Convertible, out: string) {
  return isGgufPath(out) ? planAdapterGguf(adapter, base) : planAdapterPeft(adapter);
}

async function write(
  { adapter, base }: Convertible,
  operation: AdapterOperation,
  { signal, emit }: RunOptions,
): Promise<string[]> {
  const { out } = operation;
  const { bytes: total, notes } = await planned({ adapter, base }, out);
  for (const text of notes) emit({ type: 'note', text });
  const options = {
    ...{ signature: await signatureOf(operation), signal },
    onProgress: (done: number) => emit({ type: 'progress', phase: 'writing', done, total }),
  };
  if (isGgufPath(out)) await writeAdapterGguf(adapter, base, out, options);
  else await writeAdapterPeft(adapter, out, options);
  return [...notes];
}

async function result(
  out: string,
  {
    startedAt,
    ...rest
  }: { startedAt: number; notes: string[]; changes: WeightsResult['changes']; proof: WeightsProof },
): Promise<WeightsResult> {
  return {
    ...{ out, bytes: await folderOrFileBytes(out), ...rest },
    seconds: (performance.now() - startedAt) / 1000,
    peakMemoryBytes: peakMemoryBytes(),
  };
}

/** Where matrices lie until the adapter is whole. */
function scratchOf(out: string): string {
  return join(dirname(out), `.${nameOf(out)}.extraction`);
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
