import { join } from 'node:path';
import { defaultValidation, type Suggestion } from '../../../shared/contract/index.ts';
import { PunaError } from '../../../shared/error.ts';
import type { DatasetJobs } from '../../dataset-engine/messages.ts';
import { Engine, launchChildProcess } from '../../engine/index.ts';
import { suggestWith } from '../../runs/index.ts';
import type { TrainingEvent, TrainingJobs, TrainingResult } from '../../training/messages.ts';
import { readModelFile } from '../../weights/model-file.ts';

/** The same each time. */
const seed = 1;

export interface TeachInput {
  /** GGUF model. */
  model: string;
  /** What it learns. */
  chats: string;
  /** For the dataset and its snapshot. */
  folder: string;
  /** The adapter to write. */
  out: string;
  threads: number | null;
}

export interface TeachListener {
  onSuggestion(suggestion: Suggestion, counts: { conversations: number; texts: number }): void;
  onEvent(event: TrainingEvent): void;
}

/**
 * Teaches a model a file of chats the way that the page Teach does: they become a dataset, whose size and the model's decide the
 * settings, and a run learns from its snapshot. Errors: those of the engines, `cancelled`.
 */
export async function teach(
  input: TeachInput,
  { onSuggestion, onEvent }: TeachListener,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { model, out, threads } = input;
  const { counts, measures, snapshot } = await datasetOf(input, signal);
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchChildProcess });
  try {
    const { parameters, contextLength } = await readModelFile(model);
    const suggestion = await suggestWith(
      {
        model: { path: model, parameters, contextLength },
        data: [{ counts, measures }],
        given: { threads: threads ?? undefined, sampleEvery: null },
        chatModel: null,
      },
      (estimate) => engine.run('estimate', estimate, { signal }),
    );
    onSuggestion(suggestion, counts);
    const { data, validationData } = snapshot;
    const result = await engine.run(
      'train',
      {
        ...{ model, out, resume: false, settings: suggestion.settings },
        data: data === null ? [] : [data],
        validationData: validationData === null ? [] : [validationData],
      },
      { signal, onEvent },
    );
    if (result.finish === 'stopped') throw new PunaError('cancelled', 'It was stopped before it was done.');
    return result;
  } finally {
    await engine.stop();
  }
}

async function datasetOf({ model, chats, folder }: TeachInput, signal: AbortSignal) {
  const engine = new Engine<DatasetJobs>({ entry: 'dataset-engine', launch: launchChildProcess });
  try {
    const file = join(folder, 'chats.dataset');
    const { name, me, people } = await engine.run('inspect', { path: chats, dates: null }, { signal });
    const source = { path: chats, label: name, me: me ?? people?.[0]?.name ?? null };
    const { counts } = await engine.run(
      'import',
      {
        sources: [{ ...source, columns: null, dates: null }],
        ...{ clean: null, validation: defaultValidation, seed, out: file },
      },
      { signal },
    );
    const measures = await engine.run('measure', { file, model, modelId: 0 }, { signal });
    const snapshot = await engine.run('snapshot', { file, folder }, { signal });
    return { counts, measures, snapshot };
  } finally {
    await engine.stop();
  }
}
