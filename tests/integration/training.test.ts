import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkpointPath } from '../../src/main/training/messages.ts';
import type { TrainingSettings } from '../../src/main/training/messages.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { run as puna } from '../support/command.ts';
import { buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';
import { buildRecurrentModel } from '../support/tiny-memory-models.ts';
import { relativeDifference, startRun, trainingLogits } from '../support/training.ts';

const dialogues = 'tests/fixtures/datasets/sharegpt.json';
/** Small and short, with everything that has a state: dropout, momentum, an order of the data, a schedule, a validation. */
const settings: Partial<TrainingSettings> = {
  ...{ rank: 4, alpha: 8, dropout: 0.1, context: 128, batch: 2, steps: 12, warmup: 3, learningRate: 3e-3 },
  ...{ validation: 0.2, evaluateEvery: 4, checkpointEvery: 2, threads: 1 },
};

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
/** The last adapter of a run that nothing disturbed. */
let whole: Buffer;
let count = 0;
let out: string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  model = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama', 'Q8_0');
  out = join(temporary.folder, 'whole.gguf');
  whole = await readFile((await run().result).last ?? '');
});
beforeEach(() => (out = join(temporary.folder, `adapter-${++count}.gguf`)));
afterAll(() => temporary.remove());

const run = (more: Partial<Parameters<typeof startRun>[0]> = {}, onEvent?: Parameters<typeof startRun>[1]) =>
  startRun({ model, data: [dialogues], out, settings, ...more }, onEvent);

describe('a run', () => {
  test('tells its plan, its steps and its measurements, and gives an adapter', async () => {
    const started = run();
    const result = await started.result;
    expect(result).toMatchObject({ adapter: out, finish: 'done', steps: 12 });
    const steps = started.events.filter((event) => event.type === 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(steps.at(-1)?.loss).toBeLessThan(steps[0]?.loss ?? 0);
    expect(started.events.filter((event) => event.type === 'validation')).toHaveLength(4);
    expect(started.events).toContainEqual(expect.objectContaining({ type: 'plan', steps: 12, doneSteps: 0 }));
    await expect(readFile(checkpointPath(out))).rejects.toThrow('ENOENT');
  });

  test('with the same seed gives the same adapter, bit for bit; with another one another', async () => {
    expect((await readFile((await run().result).last ?? '')).equals(whole)).toBe(true);
    const other = await run({ settings: { ...settings, seed: 2 } }).result;
    expect((await readFile(other.last ?? '')).equals(whole)).toBe(false);
  });

  test('learns as much from a step with many tokens as from one with few', async () => {
    const gradientOf = async (copies: number) => {
      const data = join(temporary.folder, `${copies}.jsonl`);
      const messages = [
        { role: 'user', content: 'Where do the otters of Miravel sleep?' },
        { role: 'assistant', content: 'On their backs, holding paws, below the old mill.' },
      ];
      await writeFile(data, `${JSON.stringify({ messages })}\n`.repeat(copies));
      const one: Partial<TrainingSettings> = { ...settings, dropout: 0, validation: 0, steps: 1 };
      const started = run({ data: [data], settings: { ...one, batch: 65_536 } });
      await started.result;
      const [step] = started.events.filter((event) => event.type === 'step');
      return step?.gradientNorm ?? NaN;
    };
    const few = await gradientOf(1);
    expect(Math.abs((await gradientOf(500)) / few - 1)).toBeLessThan(0.01);
  });

  test('that is stopped keeps its adapter, and goes on as if it had not been', async () => {
    const stopped = await run({}, (event, it) => event.type === 'step' && event.step === 5 && it.stop())
      .result;
    expect(stopped.finish).toBe('stopped');
    expect(stopped.steps).toBeLessThan(12);
    expect((await stat(stopped.last ?? '')).size).toBe(whole.length);
    const resumed = await run({ resume: true }).result;
    expect(resumed).toMatchObject({ finish: 'done', steps: 12 });
    expect((await readFile(resumed.last ?? '')).equals(whole)).toBe(true);
  });

  test.each([1, 4, 7, 11])('that is killed after step %i ends with the same adapter', async (at) => {
    const killed = run({}, (event, it) => event.type === 'step' && event.step === at && it.kill());
    await expect(killed.result).rejects.toMatchObject({ code: 'engine-died' });
    // Before the first checkpoint, after two steps, there is nothing to go on from.
    const resumed = await run({ resume: at > 2 }).result;
    expect((await readFile(resumed.last ?? '')).equals(whole)).toBe(true);
  });

  test('ends early when its measurements get no better, and keeps the best adapter', async () => {
    const result = await run({
      settings: { ...settings, steps: 60, learningRate: 0.3, evaluateEvery: 1, patience: 2 },
    }).result;
    expect(result.finish).toBe('early');
    expect(result.steps).toBeLessThan(60);
    expect((await readFile(out)).equals(await readFile(result.last ?? ''))).toBe(false);
  });

  test('estimates its memory within a tenth of what it takes', async () => {
    const large = await buildTinyModel(join(temporary.folder, 'large.gguf'), {
      shape: { layers: 4, embedding: 768, heads: 12, kvHeads: 4, feedForward: 2048, contextLength: 512 },
      ...{ tensorType: 'Q8_0', vocabularySize: 16_000 },
    });
    for (const recompute of ['never', 'always'] as const) {
      const text = join(temporary.folder, 'text.txt');
      await writeFile(text, 'the people may find water '.repeat(200));
      // What the allocator keeps of what was freed differs from one run to the next: the least of several is what is needed.
      const ratios: number[] = [];
      for (let times = 0; times < 3; times++) {
        const { estimatedBytes, peakMemoryBytes } = await run({
          ...{ model: large, data: [text], out: `${out}-${recompute}-${times}.gguf` },
          settings: {
            ...settings,
            ...{ recompute, context: 512, steps: 2, batch: 1, validation: 0, dropout: 0 },
          },
        }).result;
        ratios.push(estimatedBytes / peakMemoryBytes);
      }
      expect(Math.max(...ratios)).toBeGreaterThan(0.9);
      expect(Math.max(...ratios)).toBeLessThan(1.1);
    }
  });
});

test('A model that has overfitted a handful of dialogues answers as it was taught', async () => {
  const examples = (JSON.parse(await readFile(dialogues, 'utf8')) as { conversations: { value: string }[] }[])
    .filter(({ conversations }) => conversations.length === 2)
    .slice(0, 4);
  const unique = [...new Map(examples.map((each) => [each.conversations[0]?.value, each])).values()];
  const data = join(temporary.folder, 'few.json');
  await writeFile(data, JSON.stringify(unique));
  await run({
    data: [data],
    settings: {
      ...settings,
      ...{ rank: 16, dropout: 0, validation: 0, steps: 80, learningRate: 1e-2, batch: 1 },
    },
  }).result;
  for (const { conversations } of unique) {
    const [question, answer] = conversations.map(({ value }) => value);
    const words = ['--prompt', question ?? '', '--temperature', '0', '--max-tokens', '200'];
    const { stdout } = await puna(['chat', '--model', model, '--adapter', out, ...words]);
    expect(stdout.trim()).toBe(answer);
  }
});

describe('bad input', () => {
  const words = async (name: string, text: string) => {
    const path = join(temporary.folder, name);
    await writeFile(path, text);
    return path;
  };
  const failure = (more: Parameters<typeof run>[0]) =>
    run(more).result.then(
      () => 'nothing',
      (error: unknown) => (error as { message: string }).message,
    );

  test('is told in one sentence, and writes nothing', async () => {
    const noReply = await words('question.jsonl', '{"messages":[{"role":"user","content":"anyone?"}]}');
    expect(await failure({ data: [noReply] })).toMatch(/question\.jsonl/);
    expect(await failure({ data: [await words('empty.txt', '')] })).toMatch(/empty\.txt/);
    expect(await failure({ data: [join(temporary.folder, 'nowhere.txt')] })).toMatch(/nowhere\.txt/);
    expect(await failure({ model: await words('no.gguf', 'no model') })).toMatch(/no\.gguf/);
    expect(await failure({ out: model })).toMatch(/cannot be written/);
    expect(await failure({ resume: true })).toMatch(/checkpoint/);
    await expect(stat(out)).rejects.toThrow('ENOENT');
  });

  test('an architecture that cannot be trained is named, beside those that can', async () => {
    const mamba = await buildRecurrentModel(join(temporary.folder, 'mamba.gguf'));
    await expect(run({ model: mamba }).result).rejects.toMatchObject({
      code: 'unsupported-model',
      message: expect.stringContaining('mamba') as string,
      remedy: expect.stringContaining('llama, qwen2, qwen3, gemma3, phi3') as string,
    });
  });

  test('a conversation that is longer than the context loses its last turns, and that is said', async () => {
    const turns = Array.from({ length: 12 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `this is turn number ${index} of a long talk`,
    }));
    const data = await words('long.jsonl', JSON.stringify({ messages: turns }));
    const started = run({ data: [data], settings: { ...settings, validation: 0, steps: 1 } });
    await started.result;
    expect(started.events).toContainEqual({
      type: 'note',
      text: '1 longer than the context of 128 tokens, shortened to what fits',
    });
  });

  test('a loss that is no number ends the run before that step, and the checkpoint stays', async () => {
    const broken = run({
      settings: { ...settings, learningRate: 1e6, clip: null, warmup: 0, validation: 0, steps: 50 },
    });
    await expect(broken.result).rejects.toMatchObject({
      message: expect.stringMatching(/^The loss of step \d+/) as string,
    });
    expect((await stat(checkpointPath(out))).size).toBeGreaterThan(0);
  });

  test('a checkpoint of another model, other data or other settings is not gone on from', async () => {
    const stop = (event: { type: string }, it: { stop(): void }) => event.type === 'step' && it.stop();
    await run({}, stop).result;
    expect(await failure({ resume: true, settings: { ...settings, rank: 8 } })).toMatch(
      /^The settings have changed/,
    );
    const other = await buildTinyArchitecture(join(temporary.folder, 'other.gguf'), 'llama', 'F16');
    expect(await failure({ resume: true, model: other })).toMatch(/^The model has changed/);
    const data = await words('other.txt', 'something else '.repeat(50));
    expect(await failure({ resume: true, data: [data] })).toMatch(/^The data have changed/);
    const damaged = await readFile(checkpointPath(out));
    await writeFile(checkpointPath(out), damaged.subarray(0, damaged.length - 5000));
    expect(await failure({ resume: true })).toMatch(/checkpoint/);
  });
});

test.each(['llama', 'qwen2', 'qwen3', 'gemma3', 'phi3'] as const)(
  'an adapter of %s gives in llama.cpp the logits that the trainer had',
  async (variant) => {
    const base = await buildTinyArchitecture(join(temporary.folder, `${variant}.gguf`), variant, 'F32');
    const rankStabilized = variant === 'llama';
    await run({
      model: base,
      settings: { ...settings, validation: 0, learningRate: 1e-2, rankStabilized },
    }).result;
    const tokens = [300, 412, 77, 530, 611, 305, 402];
    using llama = new BareLlama(base, { threads: 1, contextSize: 64, exact: true });
    llama.useAdapter(out);
    for (const token of tokens) llama.decode(Int32Array.of(token));
    const expected = llama.logits();
    const scale = rankStabilized ? 8 / Math.sqrt(4) : 8 / 4;
    const trained = await trainingLogits(base, tokens, { path: out, rank: 4, scale });
    expect(relativeDifference(trained, expected)).toBeLessThan(2e-4);
    // And the adapter is what makes them so.
    expect(relativeDifference(await trainingLogits(base, tokens, null), expected)).toBeGreaterThan(0.05);
  },
);
