import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Turns } from '../../src/main/api/turns.ts';
import { inOrderOfSequences, priorityOf } from '../../src/main/inference/batch-order.ts';
import { Rendezvous } from '../../src/main/inference/rendezvous.ts';
import { automaticLoadSettings, type Model } from '../../src/shared/contract/index.ts';
import { PunaError } from '../../src/shared/error.ts';

type BatchItems = Parameters<typeof inOrderOfSequences>[0]['items'];

function model(id: number): Model {
  return {
    ...{ id, kind: 'model', name: `m${id}`, path: `/m${id}.gguf`, bytes: 1, architecture: 'llama' },
    ...{ parameters: 1, quantization: null, contextLength: 1, hasChatTemplate: true, missing: false },
    ...{ loadSettings: automaticLoadSettings, addedAt: 0 },
  } as Model;
}

describe('turns of requests', () => {
  let log: string[];
  let held: boolean;
  let calm: boolean;
  let now: number;
  let listeners: (() => void)[];
  let host: { model: Model | null; load: (model: Model) => Promise<never> };
  let turns: Turns;

  beforeEach(() => {
    [log, held, calm, now, listeners] = [[], false, true, 0, []];
    host = {
      model: null,
      load: async (wanted) => {
        log.push(`load ${wanted.id}`);
        host.model = wanted;
        return undefined as never;
      },
    };
    turns = new Turns({
      host,
      library: { get: async (id) => model(id) },
      chat: {
        get calm() {
          return calm;
        },
        onCalm: (listener) => listeners.push(listener),
      },
      background: { hold: () => (held = true), release: () => (held = false) },
      now: () => now,
    });
  });

  /** A request that is at work until it is told to end. */
  function request(name: string, modelId: number, { begun = false } = {}) {
    const end = Promise.withResolvers<string>();
    const controller = new AbortController();
    const answer = turns.run(
      { model: model(modelId), adapters: [] },
      { signal: controller.signal, begun: () => begun },
      (path) => {
        log.push(`${name} ${path}`);
        return end.promise;
      },
    );
    answer.catch(() => undefined);
    return { answer, end, controller };
  }

  const settle = () => setImmediate();

  test('those for one model run together, and others wait until they have ended', async () => {
    const [a, b, c] = [request('a', 1), request('b', 2), request('c', 1)];
    await settle();
    expect(log.filter((line) => !line.startsWith('load'))).toEqual(['a /m1.gguf', 'c /m1.gguf']);
    expect(held).toBe(true);
    a.end.resolve('A');
    await settle();
    expect(log).not.toContain('b /m2.gguf');
    c.end.resolve('C');
    await settle();
    expect(log.slice(-2)).toEqual(['load 2', 'b /m2.gguf']);
    b.end.resolve('B');
    expect(await Promise.all([a, b, c].map(({ answer }) => answer))).toEqual(['A', 'B', 'C']);
    expect(held).toBe(false);
  });

  test('one that waits long lets no more in before it', async () => {
    const [a] = [request('a', 1), request('b', 2)];
    await settle();
    now = 31_000;
    request('c', 1);
    await settle();
    expect(log).not.toContain('c /m1.gguf');
    a.end.resolve('A');
    await settle();
    expect(log.slice(-2)).toEqual(['load 2', 'b /m2.gguf']);
  });

  test('while conversations want replies, only their model is used', async () => {
    calm = false;
    host.model = model(1);
    request('a', 2);
    request('b', 1);
    await settle();
    expect(log).toEqual(['load 1', 'b /m1.gguf']);
  });

  test('what had not begun begins anew when conversations want nothing any more, and what had ends', async () => {
    const [fresh, begun] = [request('fresh', 1), request('begun', 1, { begun: true })];
    await settle();
    calm = false;
    host.model = model(2);
    for (const { end } of [fresh, begun]) end.reject(new PunaError('cancelled', 'It made room.'));
    await expect(begun.answer).rejects.toMatchObject({
      message: 'The model made room for another one that was wanted in Puna meanwhile.',
    });
    const before = log.length;
    await settle();
    expect(log).toHaveLength(before);
    calm = true;
    for (const listener of listeners) listener();
    await settle();
    expect(log.slice(before)).toContain('load 1');
  });

  test('one that leaves makes way', async () => {
    const [a, b, c] = [request('a', 1), request('b', 2), request('c', 3)];
    await settle();
    b.controller.abort();
    await expect(b.answer).rejects.toMatchObject({ code: 'cancelled' });
    a.end.resolve('A');
    await settle();
    expect(log.slice(-2)).toEqual(['load 3', 'c /m3.gguf']);
    c.end.resolve('C');
    await c.answer;
  });
});

describe('a batch', () => {
  const items = (...lengths: number[]) =>
    lengths
      .map((length, place) => ({
        tokens: Array.from({ length }, () => 0),
        logits: [],
        evaluationPriority: priorityOf(place),
      }))
      .toReversed() as unknown as BatchItems;
  const amounts = (size: number, ...lengths: number[]) =>
    inOrderOfSequences({ items: items(...lengths), size }).map(({ item, processAmount }) => [
      item.evaluationPriority,
      processAmount,
    ]);

  test('has the sequences in their order', () => {
    expect(amounts(8, 1, 1, 1)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  test('gives each its share, and what is left to the first', () => {
    expect(amounts(10, 100, 1, 100)).toEqual([
      [0, 6],
      [1, 1],
      [2, 3],
    ]);
    expect(amounts(2, 5, 5, 5).reduce((sum, [, amount]) => sum + Number(amount), 0)).toBe(2);
  });
});

test('members of a rendezvous go on when all are there, or the missing one has left', async () => {
  const rendezvous = new Rendezvous();
  const log: string[] = [];
  for (let member = 0; member < 3; member++) rendezvous.join();
  const arrive = (name: string) => rendezvous.arrive().then(() => log.push(name));
  const [a, b] = [arrive('a'), arrive('b')];
  await setImmediate();
  expect(log).toEqual([]);
  rendezvous.leave();
  await Promise.all([a, b]);
  expect(log).toEqual(['a', 'b']);
  void arrive('a');
  await setImmediate();
  expect(log).toEqual(['a', 'b']);
});
