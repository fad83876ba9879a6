import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { Backend, chooseDevice } from '../ggml/index.ts';
import { llama } from '../inference/llama.ts';
import { readModelFile } from '../weights/model-file.ts';
import { type Importance, writeImportanceMatrix } from '../weights/quantize/importance-matrix.ts';
import { ImportanceGraph } from './importance-graph.ts';
import { chunksOfText } from './importance-tokens.ts';
import { refuseIfTooLarge } from './memory.ts';
import type { ImportanceEvent, ImportanceInput, ImportanceResult } from './messages.ts';
import { describeDecoder, Weights, type WeightsOptions } from './models/index.ts';
import { trainingThreads } from './threads.ts';

/**
 * Computes how much each column of a model's weights matters for a text, as llama.cpp's imatrix tool does: for every matrix of
 * the layers, Σ x² of each column of what it is multiplied with, over all tokens of the text, each chunk read on its own.
 * Errors: those of reading the model and the text, `unsupported-model`, `out-of-memory`, `disk-full`, `invalid-input`.
 */
export async function computeImportance(
  input: ImportanceInput,
  { signal, emit }: { signal: AbortSignal; emit: (event: ImportanceEvent) => void },
): Promise<ImportanceResult> {
  const begin = performance.now();
  const { model: modelPath, text, out, context, device: choice, processOutput } = input;
  // The machine stays usable for whoever sits before it.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  if ([modelPath, text].includes(out))
    throw new PunaError(
      'invalid-input',
      `${out} is read and cannot be written.`,
      'Give the output another name.',
    );
  const file = await readModelFile(modelPath);
  const decoder = describeDecoder(file);
  const llamaCpp = await llama(choice === 'cpu' ? false : choice);
  const chunks = await tokenize(input, signal);

  const { library, device } = chooseDevice(choice, llamaCpp.gpu || 'cpu');
  using backend = new Backend(library, device, { threads: input.threads ?? trainingThreads() });
  const free = device.isCpu ? (await llamaCpp.getRamState()).free : device.freeMemory;
  const options: WeightsOptions = {
    ...{ transposed: () => false, exact: false, signal },
    onProgress: (progress) => emit({ type: 'loading', progress }),
  };
  const refuse = (bytes: number) =>
    refuseIfTooLarge(bytes, free, {
      ...{
        what: 'The importance matrix',
        device: device.name,
        smaller: () => 'Compute it with a smaller quantization of this model, such as Q8_0.',
      },
    });
  refuse(Weights.measure(backend, file, options));
  using weights = await Weights.load(backend, file, options);
  using graph = new ImportanceGraph(backend, { decoder, weights }, { length: context, processOutput });
  refuse(weights.bytes + graph.measure());
  graph.allocate();

  const totals = new Map([...graph.columns].map(([name, columns]) => [name, new Float64Array(columns)]));
  for (const [index, chunk] of chunks.entries()) {
    signal.throwIfAborted();
    for (const [name, sums] of await graph.run(chunk)) add(totals.get(name), sums);
    emit({ type: 'chunk', chunk: index + 1, chunks: chunks.length });
  }
  const tokens = chunks.length * context;
  const entries = [...totals].map(([name, total]): [string, Importance] => [
    name,
    { sums: finite(Float32Array.from(total), name), counts: Float32Array.of(tokens) },
  ]);
  await writeImportanceMatrix(
    out,
    { entries: new Map(entries), datasets: [basename(text)], chunks: chunks.length, chunkTokens: context },
    { signal },
  );
  return { path: out, chunks: chunks.length, tokens, seconds: (performance.now() - begin) / 1000 };
}

async function tokenize(
  { model: modelPath, text, context, chunks, device }: ImportanceInput,
  signal: AbortSignal,
): Promise<Int32Array[]> {
  const llamaCpp = await llama(device === 'cpu' ? false : device);
  const model = await llamaCpp.loadModel({ modelPath, vocabOnly: true, gpuLayers: 0, loadSignal: signal });
  try {
    return await chunksOfText(model, text, { context, most: chunks, signal });
  } finally {
    await model.dispose();
  }
}

function add(total: Float64Array | undefined, numbers: Float32Array): void {
  numbers.forEach((number, index) => {
    if (total) total[index] = (total[index] ?? 0) + number;
  });
}

/** Errors: `file-damaged` where the model computes no numbers. */
function finite(sums: Float32Array<ArrayBuffer>, name: string): Float32Array<ArrayBuffer> {
  if (sums.every(Number.isFinite)) return sums;
  throw new PunaError(
    'file-damaged',
    `The model computes no finite numbers for ${name}.`,
    'Get the file again, or convert the model anew.',
  );
}
