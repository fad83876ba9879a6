import { Backend, chooseDevice, Graph, Operations } from '../ggml/index.ts';
import { ggmlTypes, tensorBytes } from '../weights/formats/gguf.ts';
import type { MeasuredType, Speeds, TypeSpeed } from './messages.ts';

/** Larger than caches of processors are, so that memory is what is measured; a workstation's with more is still slower than that. */
const streamedBytes = 192e6;
/** A matrix as models have them, and tokens as many as are read at once. */
const columns = 4096;
const sharedRows = 2048;
const sharedTokens = 128;
/** For each thing that is measured, in milliseconds. */
const timeForOne = 150;
const leastRuns = 3;

interface Options {
  gpu: 'cuda' | 'vulkan' | 'metal' | null;
  threads: number;
  signal: AbortSignal;
}

/**
 * How fast a device multiplies with weights, in the kernels that models run on, over zeros. Others that use the machine meanwhile
 * make it slower. Takes about a second. Errors: `out-of-memory` where there are no 200 MB, `internal`.
 */
export async function measureSpeeds(kind: 'cpu' | 'gpu', { gpu, threads, signal }: Options): Promise<Speeds> {
  const { library, device } = chooseDevice(kind === 'gpu' ? 'auto' : 'cpu', gpu ?? 'cpu');
  using backend = new Backend(library, device, { threads });
  const measure = async (type: MeasuredType): Promise<TypeSpeed> => {
    const bytesOfRow = tensorBytes(ggmlTypes[type], [columns]);
    const rows = Math.ceil(streamedBytes / bytesOfRow);
    const streamed = await secondsOf(backend, { type, rows, tokens: 1, signal });
    const shared = await secondsOf(backend, { type, rows: sharedRows, tokens: sharedTokens, signal });
    return {
      streamed: (rows * bytesOfRow) / streamed,
      products: (columns * sharedRows * sharedTokens) / shared,
    };
  };
  const [F16, Q8_0, Q6_K, Q4_K] = [
    await measure('F16'),
    await measure('Q8_0'),
    await measure('Q6_K'),
    await measure('Q4_K'),
  ];
  return { F16, Q8_0, Q6_K, Q4_K };
}

interface Product {
  type: MeasuredType;
  rows: number;
  tokens: number;
  signal: AbortSignal;
}

/** How long a matrix of weights times the states of some tokens takes: the quickest of a few times, as the least disturbed one. */
async function secondsOf(backend: Backend, { type, rows, tokens, signal }: Product): Promise<number> {
  // One product; ggml wants room for what it is made from, too.
  const nodes = 8;
  using operations = new Operations(backend, { tensors: 3, graphs: [nodes] });
  const weights = operations.create(type, columns, rows);
  const states = operations.create('F32', columns, tokens);
  // Before the product is there, so that its place is the graph's affair.
  using numbers = operations.allocate();
  numbers.clear();
  using graph = new Graph(operations, nodes);
  graph.expand(operations.mulMat(weights, states));
  graph.allocate();
  let best = Infinity;
  const end = performance.now() + timeForOne;
  for (let runs = 0; runs < leastRuns || performance.now() < end; runs++) {
    signal.throwIfAborted();
    const begin = performance.now();
    await backend.compute(graph);
    best = Math.min(best, performance.now() - begin);
  }
  return best / 1000;
}
