import type { Notification, NotificationConstructorOptions } from 'electron';
import { describe, expect, test, vi } from 'vitest';
import { WorkBoard } from '../../src/main/electron/work.ts';
import { wordsFor } from '../../src/main/electron/words.ts';
import {
  type Dataset,
  datasetSchema,
  defaultTrainingSettings,
  type TrainingRun,
  trainingRunSchema,
} from '../../src/shared/contract/index.ts';
import { fakeEmitter } from '../support/electron.ts';

const run = (patch: Partial<TrainingRun>): TrainingRun =>
  trainingRunSchema.parse({
    ...{ id: 1, name: '', state: 'running', modelId: null, modelName: 'Qwen3 1.7B', modelPath: '/m.gguf' },
    ...{
      data: [],
      validationData: [],
      datasets: [],
      settings: defaultTrainingSettings,
      conversationId: null,
    },
    ...{ samples: [], pairs: [], pairsComing: 0, progress: null, step: null, losses: [], validations: [] },
    ...{ notes: [], error: null, adapterPath: '/a.gguf', adapterId: null, hasCheckpoint: false },
    ...{ createdAt: 0, startedAt: null, endedAt: null, secondsLeft: null },
    plan: {
      ...{ device: 'CPU', threads: 1, samples: 1, validationSamples: 0, sequences: 1, length: 32, steps: 40 },
      ...{ doneSteps: 10, parameters: 1, recompute: false, estimatedBytes: 1 },
    },
    ...patch,
  });
const step = (done: number): TrainingRun['step'] => ({
  ...{ step: done, epoch: 0, loss: 1, learningRate: 0, gradientNorm: 0, tokens: 1, tokensPerSecond: 1 },
  memoryBytes: 0,
});
const dataset = (patch: Partial<Dataset>): Dataset =>
  datasetSchema.parse({
    ...{ id: 1, name: 'Letters', state: 'working', progress: null, leftOut: [], cleaned: null },
    recipe: { kind: 'import', name: 'Letters', sources: [], clean: null, validation: 0 },
    counts: { conversations: 0, texts: 0, excluded: 0, validation: 0 },
    ...{ sampledFrom: null, fingerprint: null, reviewed: true, error: null, path: '/d', createdAt: 0 },
    changedAt: 0,
    ...patch,
  });

function board({ focused = false, language = 'en' }: { focused?: boolean; language?: 'en' | 'ko' } = {}) {
  const setProgressBar = vi.fn<(share: number) => void>();
  const show = vi.fn();
  const notifications: { options: NotificationConstructorOptions; click: () => void; shown: boolean }[] = [];
  const work = new WorkBoard({
    window: () => ({ setProgressBar, isFocused: () => focused }),
    createNotification(options) {
      const { target, tell } = fakeEmitter<Notification>({ show: () => (entry.shown = true) });
      const entry = { options, click: () => void tell('click'), shown: false };
      notifications.push(entry);
      return target;
    },
    show,
    words: () => wordsFor(language, []),
  });
  return {
    ...{ show, notifications },
    bars: () => setProgressBar.mock.calls.map(([share]) => share),
    training: (patch: Partial<TrainingRun>) => work.apply({ type: 'training', run: run(patch) }),
    dataset: (patch: Partial<Dataset>) => work.apply({ type: 'dataset', dataset: dataset(patch) }),
    apply: work.apply.bind(work),
  };
}

describe("The window's progress bar", () => {
  test('follows a run from its preparation to its end', () => {
    const { training, bars } = board();
    training({ state: 'waiting', plan: null });
    expect(bars()).toEqual([]);
    training({ state: 'preparing', plan: null });
    training({});
    training({ step: step(20) });
    training({ step: step(20), state: 'paused' });
    training({ step: step(40), state: 'done' });
    expect(bars()).toEqual([2, 0.25, 0.5, -1]);
  });

  test('follows a dataset, and a run before it', () => {
    const { training, dataset: making, bars } = board();
    making({});
    making({ progress: { share: 0.4, examples: 3, current: 'a.txt' } });
    training({ step: step(20) });
    making({ state: 'ready' });
    training({ state: 'stopped' });
    expect(bars()).toEqual([2, 0.4, 0.5, -1]);
  });

  test('goes with what is removed', () => {
    const { training, dataset: making, bars, apply } = board();
    training({});
    apply({ type: 'training-removed', runId: 1 });
    making({});
    apply({ type: 'dataset-removed', datasetId: 1 });
    expect(bars()).toEqual([0.25, -1, 2, -1]);
  });
});

describe('The end of a run', () => {
  test('is told to whoever is elsewhere, and a click leads to the window', () => {
    const { training, notifications, show } = board();
    training({});
    training({ state: 'done', name: 'Letters' });
    // Told again, with a sample reply.
    training({ state: 'done', name: 'Letters' });
    expect(notifications).toMatchObject([
      { options: { title: 'Teaching is done', body: 'Letters' }, shown: true },
    ]);
    expect(show).not.toHaveBeenCalled();
    notifications[0]?.click();
    expect(show).toHaveBeenCalledOnce();
  });

  test('that failed says why, in the language of the person', () => {
    const { training, notifications } = board({ language: 'ko' });
    training({ state: 'preparing' });
    training({ state: 'failed', error: { code: 'disk-full', message: 'The disk is full.', remedy: '' } });
    expect(notifications).toMatchObject([
      { options: { title: '가르치지 못했어요', body: 'Qwen3 1.7B: The disk is full.' } },
    ]);
  });

  test('is told neither to whoever looks at it, nor of runs that a person stopped, nor of earlier ones', () => {
    const focused = board({ focused: true });
    focused.training({});
    focused.training({ state: 'done' });
    const elsewhere = board();
    elsewhere.training({});
    elsewhere.training({ state: 'stopped' });
    elsewhere.training({ id: 2, state: 'done', name: 'renamed' });
    expect([...focused.notifications, ...elsewhere.notifications]).toEqual([]);
  });
});
