import { SqliteError } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removeRunFiles, removeSampleCopies } from '../../src/main/runs/adapter-files.ts';
import { mostReplies, withHope, withoutHope, withReply } from '../../src/main/runs/history.ts';
import { stepOfResult } from '../../src/shared/result-of-run.ts';
import { promptsIn, sideOf, trialPrompts } from '../../src/main/runs/prompts.ts';
import { LiveRun } from '../../src/main/runs/live-run.ts';
import { Sampler, type SamplerOptions } from '../../src/main/runs/sampler.ts';
import { Trials } from '../../src/main/runs/trials.ts';
import {
  automaticLoadSettings,
  defaultTrainingSettings,
  type Model,
  type Pair,
  type Sample,
  type TrainingRun,
} from '../../src/shared/contract/index.ts';
import { PunaError } from '../../src/shared/error.ts';

const model: Model = {
  ...{ id: 1, kind: 'model', name: 'base', path: '/base.gguf', bytes: 1, architecture: 'llama' },
  ...{ parameters: null, quantization: null, contextLength: null, hasChatTemplate: false },
  ...{ license: null, origin: 'file', tags: [], verified: null, broken: null, server: null },
  ...{ loadSettings: automaticLoadSettings, missing: false, addedAt: 0 },
};
const unanswered = (prompt: string): Sample => ({ prompt, base: null, replies: [] });
const newRun = (patch: Partial<TrainingRun> = {}): TrainingRun => ({
  ...{ id: 1, name: '', state: 'running', modelId: 1, modelName: 'base', modelPath: '/base.gguf', data: [] },
  ...{ validationData: [], datasets: [], settings: defaultTrainingSettings, conversationId: null },
  ...{ samples: [unanswered('Water?'), unanswered('Fire?')], pairs: [], pairsComing: 0, progress: null },
  ...{ plan: null, step: null, losses: [], validations: [], notes: [], error: null, adapterId: null },
  ...{ adapterPath: '/a.gguf', hasCheckpoint: false, createdAt: 1, startedAt: null, endedAt: null },
  secondsLeft: null,
  ...patch,
});

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'puna-samples-'))));
afterEach(() => rm(folder, { recursive: true }));

const copyAt = async (step: number) => {
  const path = join(folder, `a.sample-${step}.gguf`);
  await writeFile(path, '');
  return { step, path, isCopy: true };
};

/** A sampler of which replies are given by hand: `answer` decides the oldest question. */
function start() {
  let run = newRun();
  const asked: { text: string; answer: (text: string) => void; refuse: (error: Error) => void }[] = [];
  const background: SamplerOptions['background'] = {
    reply({ turns, adapters }, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      signal.addEventListener('abort', () => reject(new PunaError('cancelled', 'Stopped.')));
      const who = adapters.map(({ path }) => path.replace(/.*\//, '')).join() || 'base';
      asked.push({ text: `${who}: ${turns.at(-1)?.text}`, answer: resolve, refuse: reject });
      return promise;
    },
  };
  const sampler = new Sampler({
    background,
    library: { list: () => Promise.resolve([model]) },
    run: () => run,
    change: (patch) => (run = { ...run, ...patch(run) }),
  });
  let taken = 0;
  const next = async () => {
    await expect.poll(() => asked.length).toBeGreaterThan(taken);
    return asked[taken++] ?? { text: '', answer: () => {}, refuse: () => {} };
  };
  /** Answers so many questions with what they were; gives those. */
  const answer = async (count: number) => {
    const texts: string[] = [];
    for (let index = 0; index < count; index++) {
      const { text, answer: reply } = await next();
      reply(text);
      texts.push(text);
    }
    return texts;
  };
  return { sampler, answer, next, run: () => run };
}
describe('sample replies', () => {
  test('are those of the base, once, and then of each copy, which goes', async () => {
    const { sampler, answer, run } = start();
    const first = await copyAt(4);
    sampler.add(first);
    expect(await answer(4)).toEqual([
      ...['base: Water?', 'base: Fire?', 'a.sample-4.gguf: Water?', 'a.sample-4.gguf: Fire?'],
    ]);
    await expect.poll(() => existsSync(first.path)).toBe(false);
    sampler.add(await copyAt(8));
    expect(await answer(2)).toEqual(['a.sample-8.gguf: Water?', 'a.sample-8.gguf: Fire?']);
    await expect.poll(() => run().samples[1]?.replies.map(({ step }) => step)).toEqual([4, 8]);
    expect(run().samples[0]).toMatchObject({
      ...{ prompt: 'Water?', base: 'base: Water?' },
      replies: [
        { step: 4, text: 'a.sample-4.gguf: Water?' },
        { step: 8, text: 'a.sample-8.gguf: Water?' },
      ],
    });
  });

  test('of a copy that has not been asked are left out for those of a newer one', async () => {
    const { sampler, answer } = start();
    const copies = [await copyAt(4), await copyAt(8), await copyAt(12)];
    for (const copy of copies) sampler.add(copy);
    const texts = await answer(6);
    expect(texts.slice(2)).toEqual([
      ...['a.sample-4.gguf: Water?', 'a.sample-4.gguf: Fire?'],
      ...['a.sample-12.gguf: Water?', 'a.sample-12.gguf: Fire?'],
    ]);
    await expect.poll(() => copies.filter(({ path }) => existsSync(path))).toEqual([]);
  });

  test('that have no room beside training are noted once, and asked for again of the result', async () => {
    const { sampler, answer, next, run } = start();
    const copies = [await copyAt(4), await copyAt(8)];
    if (copies[0]) sampler.add(copies[0]);
    (await next()).refuse(new PunaError('out-of-memory', 'There is no room.'));
    await expect.poll(() => run().notes).toEqual(['Sample replies are missing: There is no room.']);
    if (copies[1]) sampler.add(copies[1]);
    await expect.poll(() => copies.filter(({ path }) => existsSync(path))).toEqual([]);
    sampler.add({ step: 12, path: join(folder, 'a.gguf'), isCopy: false });
    expect((await answer(4)).at(-1)).toBe('a.gguf: Fire?');
    expect(run()).toMatchObject({ notes: { length: 1 }, error: null });
  });

  test('keep coming where one prompt cannot be answered, which is told of that one', async () => {
    const { sampler, next, answer, run } = start();
    sampler.add(await copyAt(4));
    const tooLong = new PunaError('invalid-input', 'Too long.');
    (await next()).refuse(tooLong);
    expect(await answer(1)).toEqual(['base: Fire?']);
    (await next()).refuse(tooLong);
    expect(await answer(1)).toEqual(['a.sample-4.gguf: Fire?']);
    await expect.poll(() => run().samples[1]?.replies).toHaveLength(1);
    expect(run().notes).toEqual(['Sample replies are missing: Too long.']);
    expect(run().samples.map(({ missing = false }) => missing)).toEqual([true, false]);
  });

  test('that the database stands in the way of say what is wrong with it, wherever that shows', async () => {
    const full = new SqliteError('database or disk is full', 'SQLITE_FULL');
    const unwritable = new SqliteError('attempt to write a readonly database', 'SQLITE_READONLY');
    const { sampler, next, run } = start();
    sampler.add(await copyAt(4));
    (await next()).refuse(full);
    await expect.poll(() => run().notes).toHaveLength(1);
    sampler.add(await copyAt(8));
    // Not a fault of the one prompt.
    (await next()).refuse(unwritable);
    await expect
      .poll(() => run().notes)
      .toEqual([
        'Sample replies are missing: The disk is full: the database cannot grow.',
        'Sample replies are missing: The database cannot be written.',
      ]);
    await sampler.stop();
    expect(run().samples.map(({ missing = false }) => missing)).toEqual([true, true]);
  });

  test('that do not come any more are told from those that are waited for', async () => {
    const { sampler, answer, next, run } = start();
    sampler.add(await copyAt(4));
    await answer(3);
    expect(run().samples.some(({ missing }) => missing)).toBe(false);
    (await next()).refuse(new PunaError('engine-died', 'It died.'));
    await expect.poll(() => run().samples.map(({ missing = false }) => missing)).toEqual([false, true]);
    expect(withHope(run().samples).some(({ missing }) => missing)).toBe(false);
    expect(withoutHope([unanswered('Who?')])).toEqual([{ ...unanswered('Who?'), missing: true }]);
  });

  test('that are stopped leave no copy, and what comes later is not asked', async () => {
    const { sampler, next, run } = start();
    const copies = [await copyAt(4), await copyAt(8), await copyAt(12)];
    for (const copy of copies.slice(0, 2)) sampler.add(copy);
    await next();
    await sampler.stop();
    if (copies[2]) sampler.add(copies[2]);
    await expect.poll(() => copies.filter(({ path }) => existsSync(path))).toEqual([]);
    expect(run()).toEqual(newRun());
  });

  test('stay few, from the first to the last', () => {
    let replies: Sample['replies'] = [];
    for (let step = 1; step <= 500; step++) replies = withReply(replies, { step, text: `${step}` });
    expect(replies.length).toBeLessThanOrEqual(mostReplies);
    expect([replies[0]?.step, replies.at(-1)?.step]).toEqual([1, 500]);
    expect(withReply(replies, { step: 500, text: 'again' }).at(-1)).toEqual({ step: 500, text: 'again' });
  });
});

test('What a run hands out is as it was at its best measurement, else at its last step', () => {
  const step = { ...{ step: 9, epoch: 1, loss: 1, learningRate: 0, gradientNorm: 0, tokens: 1 } };
  const last = { ...step, tokensPerSecond: 1, memoryBytes: 0 };
  expect(stepOfResult({ validations: [], step: last })).toBe(9);
  const validations = [
    { step: 0, loss: 3, best: false },
    { step: 4, loss: 2, best: true },
    { step: 8, loss: 5, best: false },
  ];
  expect(stepOfResult({ validations, step: last })).toBe(4);
});

test('Pairs of answers that the database stands in the way of say what is wrong with it', async () => {
  let run = newRun({ state: 'done', adapterId: 2 });
  const trials = new Trials({
    background: { reply: () => Promise.resolve('') },
    library: { list: () => Promise.reject(new SqliteError('database is locked', 'SQLITE_BUSY')) },
    find: () => run,
    change: (_, patch) => (run = { ...run, ...patch(run) }),
    isAtWork: () => false,
  });
  await trials.makePairs(run.id, 2);
  await expect
    .poll(() => run.notes)
    .toEqual(['Pairs of answers are missing: Another program holds the database.']);
  expect(run.pairsComing).toBe(0);
});

describe('prompts to try a run with', () => {
  const write = async (name: string, questions: string[]) => {
    const path = join(folder, name);
    const lines = questions.map((content) =>
      JSON.stringify({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content },
          { role: 'assistant', content: 'Yes.' },
        ],
      }),
    );
    await writeFile(path, lines.join('\n'));
    return path;
  };
  const pair = (prompt: string): Pair => ({ prompt, left: '', right: '', taught: 'left', choice: null });

  test('are first questions, each once, of files that can be read', async () => {
    const path = await write('a.jsonl', ['Water?', 'Fire?', 'Water?']);
    expect(await promptsIn([join(folder, 'missing.jsonl'), path])).toEqual([
      { prompt: 'Water?', system: 'Be brief.' },
      { prompt: 'Fire?', system: 'Be brief.' },
    ]);
  });

  test('come from what was not learnt, else from what was, else from the person; no prompt twice', async () => {
    const measured = await write('measured.jsonl', ['a', 'b', 'c', 'd']);
    const learnt = await write('learnt.jsonl', ['e']);
    const of = async (patch: Partial<TrainingRun>, count = 9) =>
      (await trialPrompts(newRun(patch), count)).map(({ prompt }) => prompt).sort();
    expect(await of({ data: [learnt], validationData: [measured] })).toEqual(['a', 'b', 'c', 'd']);
    expect(await of({ data: [learnt] })).toEqual(['e']);
    expect(await of({})).toEqual(['Fire?', 'Water?']);
    const tried = await of({ validationData: [measured] }, 3);
    expect(tried).toHaveLength(3);
    const rest = await of({ validationData: [measured], pairs: tried.map(pair) });
    expect([...tried, ...rest].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(await of({ data: [learnt], pairs: [pair('e')] })).toEqual([]);
  });

  test('have their sides by chance, the same each time', () => {
    const sides = Array.from({ length: 200 }, (_, index) => sideOf({ createdAt: 5 }, `prompt ${index}`));
    const left = sides.filter((side) => side === 'left').length;
    // Of 200 fair coins, fewer than 70 or more than 130 once in 60,000 times; these are always the same.
    expect(left).toBeGreaterThan(70);
    expect(left).toBeLessThan(130);
    expect(sideOf({ createdAt: 5 }, 'prompt 0')).toBe(sides[0]);
  });
});

test('The files of a run are removed with all that lies beside them, and nothing else', async () => {
  const path = join(folder, 'tiny 1.gguf');
  const own = ['tiny 1.gguf', 'tiny 1-last.gguf', 'tiny 1.gguf.checkpoint', 'tiny 1.sample-40.gguf'];
  const others = ['tiny 10.gguf', 'tiny 1 copy.gguf', 'tiny 1.txt', 'tiny 1.sample-x.gguf'];
  for (const name of [...own, ...others]) await writeFile(join(folder, name), '');
  const left = () => [...own, ...others].filter((name) => existsSync(join(folder, name)));
  await removeSampleCopies(path);
  expect(left()).toEqual([...own.slice(0, 3), ...others]);
  await removeRunFiles(path);
  expect(left()).toEqual(others);
});

test('From its beginning to its end a run was at work: what it was paused or stopped for does not count', () => {
  let now = 100;
  const options = { save: () => {}, tell: () => {}, now: () => now };
  const after = (time: number, act: () => void) => {
    now += time;
    act();
  };
  const first = new LiveRun(newRun({ state: 'waiting' }), options);
  first.begin();
  after(10, () => first.hold(true));
  after(1000, () => first.hold(false));
  after(10, () => first.hold(true));
  after(500, () => first.end('stopped'));
  const took = ({ value: { startedAt, endedAt } }: LiveRun) => (endedAt ?? NaN) - (startedAt ?? NaN);
  expect(took(first)).toBe(20);

  now += 5000;
  const resumed = new LiveRun({ ...first.value, state: 'waiting' }, options);
  after(300, () => resumed.begin());
  after(7, () => resumed.end('done'));
  expect(took(resumed)).toBe(27);
  const given = new LiveRun({ ...resumed.value, state: 'waiting' }, options);
  after(5000, () => given.end('stopped'));
  expect(took(given)).toBe(27);
});
