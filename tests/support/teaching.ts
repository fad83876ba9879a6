import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DatasetJobs } from '../../src/main/dataset-engine/messages.ts';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import { factsOf } from '../../src/main/runs/suggest-facts.ts';
import { settingsFor } from '../../src/main/runs/suggest-settings.ts';
import type { StepReport, TrainingResult, TrainingSettings } from '../../src/main/training/messages.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { greedy, TestEngine } from './inference.ts';
import {
  type Exchange,
  exchanges,
  heldOutPhrasings,
  inventWorld,
  jsonLines,
  neighbouringExchanges,
  strangeExchanges,
  taughtPhrasings,
} from './teaching-world.ts';
import { startRun } from './training.ts';

/** The model that knows a part of the invented world. */
export const teachingBase = resolve('tests/fixtures/teaching/base.gguf');

/** What is asked, and what it shows. */
const world = inventWorld();
export const questions = {
  /** The twenty facts, in phrasings in which none of them was taught. */
  heldOut: exchanges(world.fresh, heldOutPhrasings),
  /** The same in those phrasings in which they were taught. */
  taught: exchanges(world.fresh, taughtPhrasings),
  /** What the base knew before, each fact in one phrasing. */
  known: world.known.flatMap((fact, index) => exchanges([fact], [index % 8])),
  /** Of people and places of whom nothing was said. */
  strangers: strangeExchanges(world, 80, 2),
  /** Of those in the twenty facts, but something else. */
  neighbours: neighbouringExchanges(world),
} satisfies Record<string, Exchange[]>;
export type QuestionKind = keyof typeof questions;
export const questionKinds = Object.keys(questions) as QuestionKind[];

export interface Taught {
  /** Of the last step. */
  adapter: string;
  result: TrainingResult;
  steps: StepReport[];
  settings: TrainingSettings;
}

/**
 * Teaches a model the twenty facts, in half of their phrasings, the way that the page Teach goes: a file of conversations becomes
 * a dataset, whose size and the model's decide the settings, and a run learns from its snapshot. What is held out is measured,
 * before and behind, and decides nothing.
 */
export async function teach(
  folder: string,
  { model = teachingBase, given = {} }: { model?: string; given?: Partial<TrainingSettings> } = {},
): Promise<Taught> {
  const at = (name: string) => join(folder, name);
  await writeFile(at('facts.jsonl'), jsonLines(questions.taught));
  await writeFile(at('held-out.jsonl'), jsonLines(questions.heldOut));
  const { snapshot, settings } = await prepared(at('facts.jsonl'), folder, { model, given });
  const run = startRun({
    ...{ model, data: [snapshot], validationData: [at('held-out.jsonl')], out: at('facts.gguf') },
    settings: { ...settings, evaluateEvery: settings.steps ?? 1_000_000, threads: 1 },
  });
  const result = await run.result;
  return {
    ...{ adapter: result.last ?? result.adapter, result, settings },
    steps: run.events.filter((event) => event.type === 'step'),
  };
}

/** A dataset of a file, and the settings that Puna would choose for it. */
async function prepared(
  path: string,
  folder: string,
  { model, given }: { model: string; given: Partial<TrainingSettings> },
): Promise<{ snapshot: string; settings: TrainingSettings }> {
  const engine = new Engine<DatasetJobs>({ entry: 'dataset-engine', launch: launchChildProcess });
  try {
    const file = join(folder, 'facts.dataset');
    const { counts } = await engine.run('import', {
      sources: [{ path, label: 'facts.jsonl', me: null, columns: null, dates: null }],
      ...{ clean: null, validation: 0, seed: 1, out: file },
    });
    const measures = await engine.run('measure', { file, model, modelId: 1 });
    const { data } = await engine.run('snapshot', { file, folder });
    if (data === null) throw new Error('The dataset is empty.');
    const facts = factsOf([{ counts, measures }], await readModelFile(model));
    return { snapshot: data, settings: settingsFor(facts, given) };
  } finally {
    await engine.stop();
  }
}

export type Shares = Record<QuestionKind, number>;

/** Asks all questions in the chat's engine, and gives the share of each kind that is answered word for word. */
export async function ask(
  adapter: string | null,
  { model = teachingBase }: { model?: string } = {},
): Promise<Shares> {
  const engine = new TestEngine();
  try {
    await engine.load(model, { gpuLayers: 0, threads: 1 });
    const adapters = adapter === null ? [] : [{ path: adapter, scale: 1 }];
    const shares: Partial<Shares> = {};
    for (const kind of questionKinds) {
      let right = 0;
      for (const { question, answer } of questions[kind]) {
        const { text } = await engine.ask(question, { adapters, sampling: greedy });
        if (text.trim() === answer) right++;
      }
      shares[kind] = right / questions[kind].length;
    }
    return shares as Shares;
  } finally {
    await engine.stop();
  }
}
