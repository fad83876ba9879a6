import type { Llama } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import { readExamples, type ReadReport } from '../datasets/index.ts';
import type { Sample } from './batches.ts';
import type { TrainingInput } from './messages.ts';
import { ExampleTokenizer } from './tokenize-examples.ts';

export interface TrainingData {
  samples: Sample[];
  /** What a person should know of it, one sentence each. */
  notes: string[];
}

/**
 * Reads the examples of all files and tokenizes them as the model does. Errors: those of `readExamples`, `invalid-input` where
 * nothing can be learnt from them.
 */
export async function loadData(
  llama: Llama,
  { model: modelPath, data, me, columns, dates, settings }: TrainingInput,
  signal: AbortSignal,
): Promise<TrainingData> {
  const model = await llama.loadModel({ modelPath, vocabOnly: true, gpuLayers: 0, loadSignal: signal });
  try {
    const tokenizer = new ExampleTokenizer(model, settings.context);
    const report: ReadReport = { examples: 0, skipped: [] };
    const samples: Sample[] = [];
    for (const path of data) {
      for await (const example of readExamples(path, { signal, report, me, columns, dates })) {
        for (const sample of tokenizer.samples(example)) samples.push(sample);
      }
    }
    if (samples.length === 0) throw nothingToLearn(data, tokenizer.empty);
    return { samples, notes: notesOf(report, tokenizer, settings.context) };
  } finally {
    await model.dispose();
  }
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
    'invalid-input',
    `There is nothing to learn in ${data.join(', ')}${empty > 0 ? `: ${empty} examples have no reply within the context` : ''}.`,
    'Give conversations with replies, or text; a longer --context may help.',
  );
}
