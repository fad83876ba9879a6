import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Background, type BackgroundRequest } from '../../src/main/chat/index.ts';
import type { ReplyEvent, ReplyInput, ReplyResult } from '../../src/main/inference/messages.ts';
import { automaticLoadSettings, defaultSampling, type Model } from '../../src/shared/contract/index.ts';
import { PunaError } from '../../src/shared/error.ts';

const modelOf = (id: number): Model => ({
  ...{ id, kind: 'model', name: `model ${id}`, path: `/models/${id}.gguf`, bytes: 1, architecture: 'llama' },
  ...{ parameters: null, quantization: null, contextLength: null, hasChatTemplate: false },
  ...{ license: null, origin: 'file', tags: [], verified: null, broken: null, server: null },
  ...{ loadSettings: automaticLoadSettings, missing: false, addedAt: 0 },
});
const [taught, persons, other] = [modelOf(1), modelOf(2), modelOf(3)];

const result: ReplyResult = {
  ...{ finish: 'end', seed: 1, promptTokens: 1, cachedTokens: 0, tokens: 1, seconds: 0, timeToFirstToken: 0 },
  ...{ tokensPerSecond: 0, contextUsed: 0, contextSize: 0, droppedTurns: 0 },
};

/** As `ModelHost` behaves: a model that is wanted ends the loading of another, and a reply that is cancelled gives a result. */
class FakeHost {
  model: Model | null = null;
  /** What was loaded and asked, in order. */
  readonly done: string[] = [];
  /** Questions that are not answered until somebody does. */
  readonly open = new Map<string, PromiseWithResolvers<null>>();
  /** Loads that do not end until somebody lets them. */
  loading: PromiseWithResolvers<never> | null = null;
  refusal: PunaError | null = null;

  async load(model: Model): Promise<never> {
    if (this.refusal) throw this.refusal;
    if (this.model?.id !== model.id) this.done.push(`load ${model.id}`);
    this.model = model;
    if (this.loading) await this.loading.promise;
    return undefined as never;
  }

  async reply(
    { turns }: ReplyInput,
    { signal, onEvent }: { signal: AbortSignal; onEvent: (event: ReplyEvent) => void },
  ): Promise<ReplyResult> {
    const question = turns.at(-1)?.text ?? '';
    this.done.push(question);
    const open = this.open.get(question);
    const stopped = Promise.withResolvers<null>();
    signal.addEventListener('abort', () => stopped.resolve(null), { once: true });
    if (open) await Promise.race([open.promise, stopped.promise]);
    if (signal.aborted) return { ...result, finish: 'stopped' };
    onEvent({ type: 'piece', part: 'thinking', piece: 'Well.' });
    onEvent({ type: 'piece', part: 'text', piece: `${question} ` });
    onEvent({ type: 'piece', part: 'text', piece: 'yes' });
    return result;
  }
}

function start(restTime = 1) {
  const host = new FakeHost();
  const library = { get: (id: number) => Promise.resolve(modelOf(id)) };
  const background = new Background({ host, library, restTime });
  const request = (text: string, model = taught): BackgroundRequest => ({
    ...{ model, systemPrompt: '', turns: [{ role: 'user', text }], adapters: [], sampling: defaultSampling },
  });
  const ask = (text: string, model = taught, signal = new AbortController().signal) =>
    background.reply(request(text, model), signal);
  /** Leaves a question without an answer until `open` has it. */
  const keepOpen = (text: string) => {
    const open = Promise.withResolvers<null>();
    host.open.set(text, open);
    return open;
  };
  return { host, background, ask, keepOpen };
}

const asked = (host: FakeHost, what: string) => expect.poll(() => host.done).toContain(what);
const cancelled = { code: 'cancelled' };

describe('A reply in the background', () => {
  test('is its text without its thoughts, by the model that it needs', async () => {
    const { host, ask } = start();
    expect(await ask('Water?')).toBe('Water? yes');
    expect(host.done).toEqual(['load 1', 'Water?']);
  });

  test('waits for conversations, and begins anew where one interrupts it', async () => {
    const { host, background, ask, keepOpen } = start();
    keepOpen('Water?');
    const reply = ask('Water?');
    await asked(host, 'Water?');
    background.hold();
    // The conversation's model.
    await host.load(persons);
    const later = ask('Fire?');
    await setImmediate();
    expect(host.done).toEqual(['load 1', 'Water?', 'load 2']);
    host.open.clear();
    background.release();
    expect(await Promise.all([reply, later])).toEqual(['Water? yes', 'Fire? yes']);
    expect(host.done.slice(3)).toEqual(['load 1', 'Water?', 'Fire?']);
  });

  test('that is interrupted and let go on at once is not lost', async () => {
    const { host, background, ask, keepOpen } = start();
    keepOpen('Water?');
    const reply = ask('Water?');
    await asked(host, 'Water?');
    background.hold();
    host.open.clear();
    background.release();
    expect(await reply).toBe('Water? yes');
  });

  test('can be taken back while it waits, while it is written, and while its model is loaded', async () => {
    const { host, ask, keepOpen } = start();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    keepOpen('Water?');
    const written = ask('Water?', taught, first.signal);
    const waiting = ask('Fire?', taught, second.signal);
    await asked(host, 'Water?');
    second.abort();
    await expect(waiting).rejects.toMatchObject(cancelled);
    first.abort();
    await expect(written).rejects.toMatchObject(cancelled);
    host.loading = Promise.withResolvers();
    const loading = ask('Earth?', other, third.signal);
    await asked(host, 'load 3');
    third.abort();
    await expect(loading).rejects.toMatchObject(cancelled);
    expect(host.done).toEqual(['load 1', 'Water?', 'load 3']);
    await expect(ask('Air?', taught, third.signal)).rejects.toMatchObject(cancelled);
  });

  test('is asked again where somebody loads another model before it was asked', async () => {
    const { host, ask } = start();
    host.loading = Promise.withResolvers();
    const reply = ask('Water?');
    await asked(host, 'load 1');
    const { loading } = host;
    host.loading = null;
    host.model = persons;
    loading.reject(new PunaError('cancelled', 'Another one.'));
    expect(await reply).toBe('Water? yes');
    expect(host.done).toEqual(['load 1', 'load 1', 'Water?']);
  });

  test('tells that there is no room for its model, and those that follow are answered', async () => {
    const { host, ask } = start();
    host.refusal = new PunaError('out-of-memory', 'There is no room.');
    const refused = ask('Water?');
    const next = ask('Fire?');
    await expect(refused).rejects.toMatchObject({ code: 'out-of-memory' });
    host.refusal = null;
    expect(await next).toBe('Fire? yes');
  });

  test('comes in the order in which they were wanted, but models are not changed for each', async () => {
    const { host, ask } = start();
    const series = async (name: string, model: Model) => {
      for (const number of [1, 2, 3]) await ask(`${name}${number}`, model);
    };
    await Promise.all([series('a', taught), series('b', other), series('c', taught)]);
    expect(host.done).toEqual(['load 1', 'a1', 'c1', 'a2', 'c2', 'a3', 'c3', 'load 3', 'b1', 'b2', 'b3']);
  });

  test('is refused once everything closes', async () => {
    const { host, background, ask, keepOpen } = start();
    keepOpen('Water?');
    const replies = [ask('Water?'), ask('Fire?')].map((reply) => reply.catch((error: unknown) => error));
    await asked(host, 'Water?');
    background.close();
    expect(await Promise.all(replies)).toMatchObject([cancelled, cancelled]);
    await expect(ask('Air?')).rejects.toMatchObject(cancelled);
  });
});

describe("The person's model", () => {
  test('comes back when nothing is wanted any more', async () => {
    const { host, ask } = start();
    await host.load(persons);
    await ask('Water?');
    await ask('Fire?');
    await expect.poll(() => host.model?.id).toBe(persons.id);
    expect(host.done).toEqual(['load 2', 'load 1', 'Water?', 'Fire?', 'load 2']);
  });

  test('stays where it is the one that is needed', async () => {
    const { host, ask } = start();
    await host.load(persons);
    await ask('Water?', persons);
    await ask('Fire?', other);
    await expect.poll(() => host.done.at(-1)).toBe('load 2');
    expect(host.done).toEqual(['load 2', 'Water?', 'load 3', 'Fire?', 'load 2']);
  });

  test('is the one that a conversation had last', async () => {
    const { host, background, ask, keepOpen } = start();
    await host.load(persons);
    keepOpen('Water?');
    const reply = ask('Water?');
    await asked(host, 'Water?');
    background.hold();
    await host.load(other);
    host.open.clear();
    background.release();
    await reply;
    await expect.poll(() => host.model?.id).toBe(other.id);
  });

  test('is given back by training only when the replies are there', async () => {
    const { host, background, ask, keepOpen } = start();
    const open = keepOpen('Water?');
    const reply = ask('Water?');
    await asked(host, 'Water?');
    await background.bringBack(persons);
    expect(host.model?.id).toBe(taught.id);
    open.resolve(null);
    await reply;
    await expect.poll(() => host.model?.id).toBe(persons.id);
  });

  test('that has no room beside training is there when training gives its memory back', async () => {
    const { host, background, ask } = start();
    await host.load(persons);
    await ask('Water?');
    host.refusal = new PunaError('out-of-memory', 'There is no room.');
    host.model = null;
    await expect.poll(() => host.done.at(-1)).toBe('Water?');
    await new Promise((resolve) => setTimeout(resolve, 20));
    host.refusal = null;
    // Training had displaced the model that answered here.
    await background.bringBack(taught);
    expect(host.model).toMatchObject({ id: persons.id });
  });
});
