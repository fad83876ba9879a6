import type { Llama } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import { readExamples, type ReadReport } from '../datasets/index.ts';
import { mostExamples, Reservoir } from '../datasets/reservoir.ts';
import type { Sample } from './batches.ts';
import { sampleFingerprint } from './fingerprint.ts';
import type { TrainingInput } from './messages.ts';
import { splitValidation } from './plan.ts';
import { ExampleTokenizer } from './tokenize-examples.ts';

export interface TrainingData {
  learnt: readonly Sample[];
  /** What is only measured on. */
  measured: readonly Sample[];
  /** What a person should know of it, one sentence each. */
  notes: string[];
}

interface ReadSamples {
  samples: Sample[];
  /** Examples of which nothing can be learnt. */
  empty: number;
  notes: string[];
}

/**
 * Reads the examples of all files and tokenizes them as the model does. Without files of their own to measure on, a share of the
 * examples is put aside for it. Errors: those of `readExamples`, `nothing-to-learn`.
 */
export async function loadData(
  llama: Llama,
  input: TrainingInput,
  signal: AbortSignal,
  most = mostExamples,
): Promise<TrainingData> {
  const { model: modelPath, data, validationData = [], settings } = input;
  const model = await llama.loadModel({ modelPath, vocabOnly: true, gpuLayers: 0, loadSignal: signal });
  const read = (paths: readonly string[]) =>
    readSamples(paths, new ExampleTokenizer(model, settings.context), { input, signal, most });
  try {
    const { samples, empty, notes } = await read(data);
    if (samples.length === 0) throw nothingToLearn(data, empty);
    if (validationData.length === 0) return unlearnt({ ...splitValidation(samples, settings), notes });
    const measured = await read(validationData);
    notes.push(...measured.notes.map((note) => `To measure on: ${note}`));
    return unlearnt({ learnt: samples, measured: measured.samples, notes });
  } finally {
    await model.dispose();
  }
}

/** The same without measuring on what is learnt too, as it may stand in two files: that would come out too well. */
function unlearnt({ learnt, measured, notes }: TrainingData): TrainingData {
  const learntOnes = new Set(measured.length > 0 ? learnt.map(sampleFingerprint) : []);
  const others = measured.filter((sample) => !learntOnes.has(sampleFingerprint(sample)));
  const left = measured.length - others.length;
  const note = `To measure on: ${left} left out: they are learnt as well`;
  return { learnt, measured: others, notes: left > 0 ? [...notes, note] : notes };
}

interface ReadOptions {
  input: TrainingInput;
  signal: AbortSignal;
  /** Examples that are kept, of more a sample. */
  most: number;
}

async function readSamples(
  paths: readonly string[],
  tokenizer: ExampleTokenizer,
  { input: { me, columns, dates, settings }, signal, most }: ReadOptions,
): Promise<ReadSamples> {
  const report: ReadReport = { examples: 0, skipped: [] };
  const reservoir = new Reservoir(most, settings.seed);
  const kept: Sample[][] = [];
  for (const path of paths) {
    for await (const example of readExamples(path, { signal, report, me, columns, dates })) {
      const slot = reservoir.slot();
      if (slot !== null) kept[slot] = tokenizer.samples(example);
    }
  }
  const notes = notesOf(report, tokenizer, settings.context);
  if (reservoir.seen > most) notes.push(`${most} of ${reservoir.seen} examples are used, drawn evenly`);
  return { samples: kept.flat(), empty: tokenizer.empty, notes };
}

function notesOf(report: ReadReport, tokenizer: ExampleTokenizer, context: number): string[] {
  const notes = report.skipped.map(({ reason, count }) => `${count} left out: ${reason}`);
  if (tokenizer.shortened > 0) {
    notes.push(`${tokenizer.shortened} longer than the context of ${context} tokens, shortened to what fits`);
  }
  if (tokenizer.empty > 0) notes.push(`${tokenizer.empty} without anything to learn in them, left out`);
  return notes;
}

function nothingToLearn(data: readonly string[], empty: number): PunaError {
  return new PunaError(
    'nothing-to-learn',
    `There is nothing to learn in ${data.join(', ')}${empty > 0 ? `: ${empty} examples have no reply within the context` : ''}.`,
    'Give conversations with replies, or text; a longer --context may help.',
  );
}
