import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adapterTitle, newAdapterPath } from '../../src/main/runs/adapter-files.ts';
import { mostPoints, withLoss, withValidation } from '../../src/main/runs/history.ts';
import { MemoryShare } from '../../src/main/runs/memory-share.ts';
import { Pace } from '../../src/main/runs/pace.ts';
import {
  automaticLoadSettings,
  defaultTrainingSettings,
  type LossPoint,
  type Model,
  trainingOrderSchema,
  type ValidationPoint,
} from '../../src/shared/contract/index.ts';
import { PunaError } from '../../src/shared/error.ts';

describe('the losses of a long run', () => {
  test.each([mostPoints, mostPoints + 1, 12_345])(
    'of %i steps are few, evenly apart, to the end',
    (steps) => {
      let losses: LossPoint[] = [];
      for (let step = 1; step <= steps; step++) losses = withLoss(losses, { step, loss: 1 / step });
      expect(losses.length).toBeLessThanOrEqual(mostPoints);
      expect(losses.length).toBeGreaterThanOrEqual(mostPoints / 2);
      const distances = losses.slice(1).map(({ step }, index) => step - (losses[index]?.step ?? 0));
      expect(new Set(distances).size).toBe(1);
      expect(steps - (losses.at(-1)?.step ?? 0)).toBeLessThan(distances[0] ?? 0);
    },
  );

  test('are bounded in measurements, of which the last one is kept', () => {
    let points: ValidationPoint[] = [];
    for (let step = 20; step <= 100_000; step += 20) {
      points = withValidation(points, { step, loss: 1, best: false }, 20);
      expect(points.at(-1)?.step).toBe(step);
    }
    points = withValidation(points, { step: 100_007, loss: 1, best: false }, 20);
    expect(points.at(-1)?.step).toBe(100_007);
    expect(points.length).toBeLessThanOrEqual(mostPoints + 1);
    expect(points.length).toBeGreaterThan(mostPoints / 2);
  });
});

describe('the path of a new adapter', () => {
  const now = new Date(2026, 0, 5, 12).getTime();
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'puna-test-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const nameFor = (title: string, taken: string[] = []) =>
    newAdapterPath(folder, { title, now, taken }).slice(folder.length + 1);

  test('is called after what a person called the run, else what it learns, else what it teaches', () => {
    const dataset = (name: string) => ({ id: 1, name, fingerprint: '' });
    const run = { name: 'Mine', datasets: [dataset('Notes'), dataset('Chats')], modelName: 'Qwen3' };
    expect(adapterTitle(run)).toBe('Mine');
    expect(adapterTitle({ ...run, name: '' })).toBe('Notes, Chats');
    expect(adapterTitle({ ...run, name: '', datasets: [] })).toBe('Qwen3');
  });

  test('has a title, date and number', () => {
    expect(nameFor('Qwen3 1.7B')).toBe('Qwen3 1.7B 2026-01-05 1.gguf');
  });

  test('is never one that there was, on disk or in a run that is remembered', () => {
    writeFileSync(join(folder, 'm 2026-01-05 2-last.gguf'), '');
    expect(nameFor('m')).toBe('m 2026-01-05 3.gguf');
    expect(nameFor('m', [join(folder, 'm 2026-01-05 7.gguf')])).toBe('m 2026-01-05 8.gguf');
    expect(nameFor('n', [join(folder, 'm 2026-01-05 7.gguf')])).toBe('n 2026-01-05 1.gguf');
  });

  test('stays in its folder, whatever the model is called', () => {
    expect(nameFor('../../a:b?')).toMatch(/^[^/\\:?]+ 2026-01-05 1\.gguf$/);
    expect(nameFor('가'.repeat(300)).length).toBeLessThan(100);
  });
});

describe('the time left', () => {
  test('is the pace of steps, without the time that a pause took', () => {
    let now = 0;
    const pace = new Pace(() => now);
    expect(pace.secondsFor(10)).toBeNull();
    pace.begin();
    for (let step = 0; step < 5; step++) {
      now += 2_000;
      pace.mark();
    }
    now += 1e6;
    pace.begin();
    now += 2_000;
    pace.mark();
    expect(pace.secondsFor(10)).toBeCloseTo(20);
  });
});

describe('shared memory', () => {
  const model = (bytes: number): Model => ({
    ...{ id: 1, kind: 'model', name: 'M', path: '/m.gguf', bytes, architecture: 'llama' },
    ...{ parameters: 1, quantization: 'F32', contextLength: 1, hasChatTemplate: true },
    ...{ license: null, origin: 'file', tags: [], verified: null, broken: null, server: null },
    ...{ loadSettings: automaticLoadSettings, missing: false, addedAt: 0 },
  });
  const short = new PunaError('out-of-memory', 'No memory.');

  test('is free for all while nothing is trained', () => {
    const memory = new MemoryShare();
    memory.check(model(1e12));
    expect(memory.explain(model(1), short)).toBe(short);
  });

  test('within a limit has no place for a model beside a run that takes the rest', () => {
    const memory = new MemoryShare();
    memory.begin(100);
    memory.take(60);
    memory.check(model(40));
    expect(() => memory.check(model(41))).toThrow('while training is running');
    expect(memory.explain(model(1), short).message).toContain('while training is running');
    const other = new PunaError('file-damaged', 'Damaged.');
    expect(memory.explain(model(1), other)).toBe(other);
  });

  test('has no place for the model that made room, but for a smaller one, until it is given back', () => {
    const memory = new MemoryShare();
    memory.begin(null);
    memory.displace(model(40));
    memory.check(model(39));
    expect(() => memory.check(model(40))).toThrow('while training is running');
    memory.end();
    expect(memory.giveBack()).toEqual(model(40));
    expect(memory.giveBack()).toBeNull();
    memory.check(model(40));
  });
});

test('an order without settings has the usual ones, and a wrong one is refused', () => {
  const order = { modelId: 1, data: ['/d.json'] };
  expect(trainingOrderSchema.parse(order).settings).toEqual(defaultTrainingSettings);
  const settings = { rank: 8, steps: undefined };
  expect(trainingOrderSchema.parse({ ...order, settings }).settings).toEqual({
    ...defaultTrainingSettings,
    rank: 8,
  });
  expect(trainingOrderSchema.safeParse({ ...order, settings: { rank: 0 } }).success).toBe(false);
});
