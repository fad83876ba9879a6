import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factsOf } from '../../src/main/runs/suggest-facts.ts';
import { settingsFor } from '../../src/main/runs/suggest-settings.ts';
import { type SuggestQuestion, suggestWith } from '../../src/main/runs/suggest.ts';
import type { EstimateInput, EstimateResult } from '../../src/main/training/messages.ts';
import { Plan } from '../../src/main/training/plan.ts';
import { type Measures, suggestionSchema, type TrainingSettings } from '../../src/shared/contract/index.ts';

/** As the dataset engine counts them. */
function measuresOf(lengths: readonly number[]): Measures {
  const sorted = lengths.toSorted((one, other) => one - other);
  const total = sorted.reduce((sum, length) => sum + length, 0);
  const bins = Map.groupBy(sorted, (length) => 2 ** Math.floor(Math.log2(length)));
  return {
    ...{ modelId: 1, examples: sorted.length, tokens: total, learntTokens: Math.round(total / 2) },
    ...{ median: sorted[Math.floor(sorted.length / 2)] ?? 0, longest: sorted.at(-1) ?? 0 },
    histogram: [...bins].map(([from, all]) => ({ from, to: 2 * from, count: all.length })),
  };
}

interface Data {
  lengths: readonly number[];
  validation?: number;
  texts?: boolean;
}

function dataOf({ lengths, validation = 0, texts = false }: Data): SuggestQuestion['data'][number] {
  const count = lengths.length;
  const counts = { conversations: texts ? 0 : count, texts: texts ? count : 0, excluded: 0, validation };
  return { counts, measures: measuresOf(lengths) };
}

const model: SuggestQuestion['model'] = {
  ...{ id: 1, kind: 'model', name: 'a model', path: '/models/a.gguf', bytes: 4e9, architecture: 'llama' },
  ...{ parameters: 7e9, quantization: 'Q4_K_M', contextLength: 8192, hasChatTemplate: true, missing: false },
  ...{ license: null, origin: 'file', tags: [], verified: null, broken: null, server: null },
  ...{ loadSettings: { contextSize: null, gpuLayers: null, threads: null }, addedAt: 0 },
};

/** A machine: its free memory, and what a run takes for itself and for each token of a sequence. */
interface Machine {
  free: number;
  base: number;
  perToken: number;
  tokensPerSecond: number | null;
}
const large: Machine = { free: 64e9, base: 8e9, perToken: 1e6, tokensPerSecond: 100 };

/** What an engine would say of that machine. */
const engineOf =
  ({ free, base, perToken, tokensPerSecond }: Machine) =>
  ({ length, freed = 0, speed }: EstimateInput): Promise<EstimateResult> => {
    const bytes = base + perToken * length;
    const freeBytes = free + freed;
    return Promise.resolve({
      ...{ bytes, freeBytes, fits: bytes <= freeBytes, recompute: false, device: 'CPU, 1 thread' },
      tokensPerSecond: speed ? tokensPerSecond : null,
    });
  };

function suggested(data: Data, more: Partial<SuggestQuestion> = {}, machine: Partial<Machine> = {}) {
  const question = { model, data: [dataOf(data)], given: {}, chatModel: null, ...more };
  return suggestWith(question, engineOf({ ...large, ...machine }));
}

const repeated = (count: number, length: number) => Array.from({ length: count }, () => length);
const anyLengths = fc.array(fc.integer({ min: 5, max: 6000 }), { minLength: 1, maxLength: 300 });
const anyData: fc.Arbitrary<Data> = fc
  .record({ lengths: anyLengths, share: fc.double({ min: 0, max: 0.5, noNaN: true }), texts: fc.boolean() })
  .map(({ share, ...data }) => ({ ...data, validation: Math.floor(data.lengths.length * share) }));
const anyMachine = fc.record({
  free: fc.double({ min: 1e8, max: 1e11, noNaN: true }),
  base: fc.double({ min: 1e7, max: 5e10, noNaN: true }),
  perToken: fc.double({ min: 1e3, max: 1e7, noNaN: true }),
  tokensPerSecond: fc.option(fc.double({ min: 0.1, max: 1e5, noNaN: true })),
});

describe('a suggestion', () => {
  test('is one that a run can be started with, whatever the data and the machine', async () => {
    await fc.assert(
      fc.asyncProperty(anyData, anyMachine, async (data, machine) => {
        const found = await suggested(data, {}, machine);
        // Bytes are what the engine says; here they may be broken numbers.
        const whole = { ...found, bytes: Math.round(found.bytes), freeBytes: Math.round(found.freeBytes) };
        expect(suggestionSchema.parse(whole)).toEqual(whole);
        expect(found.examples + found.validationExamples).toBe(data.lengths.length);
      }),
    );
  });

  test("has a person's own settings as they are", async () => {
    const given: fc.Arbitrary<Partial<TrainingSettings>> = fc.record(
      {
        ...{ rank: fc.integer({ min: 1, max: 256 }), alpha: fc.integer({ min: 1, max: 512 }) },
        ...{ context: fc.integer({ min: 32, max: 9000 }), batch: fc.integer({ min: 1, max: 64 }) },
        ...{ epochs: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 9000 }) },
        ...{ learningRate: fc.double({ min: 0, max: 1, noNaN: true }), warmup: fc.nat(100) },
        ...{ evaluateEvery: fc.integer({ min: 1, max: 99 }), sampleEvery: fc.constant(null) },
        ...{ patience: fc.constant(null), seed: fc.nat(), dropout: fc.constant(0.3) },
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(anyData, anyMachine, given, async (data, machine, own) => {
        const { settings, steps } = await suggested(data, { given: own }, machine);
        expect(settings).toMatchObject(own);
        if (own.steps !== undefined) expect(steps).toBe(own.steps);
        if (own.alpha === undefined) expect(settings.alpha).toBe(2 * settings.rank);
      }),
    );
  });

  test('never has more epochs for more examples', () => {
    const epochsOf = (lengths: readonly number[], texts: boolean) =>
      settingsFor(factsOf([dataOf({ lengths, texts })], model), {}).epochs;
    fc.assert(
      fc.property(anyLengths, anyLengths, fc.boolean(), (some, more, texts) => {
        expect(epochsOf([...some, ...more], texts)).toBeLessThanOrEqual(epochsOf(some, texts));
      }),
    );
    const counts = [1, 10, 100, 1000, 20_000, 60_000];
    expect(counts.map((count) => epochsOf(repeated(count, 60), false))).toEqual([20, 20, 6, 3, 2, 1]);
  });

  test('of a small set makes some hundred steps', async () => {
    for (const count of [60, 100, 150, 250]) {
      const { steps, settings } = await suggested({ lengths: repeated(count, 40) });
      expect(steps).toBeGreaterThanOrEqual(100);
      expect(steps).toBeLessThanOrEqual(300);
      expect(settings.batch).toBe(1);
    }
  });

  test('has the shortest context that nearly all examples fit in', async () => {
    const contextOf = async (lengths: readonly number[], more: Partial<SuggestQuestion> = {}) => {
      const { settings, warnings } = await suggested({ lengths }, more);
      return [settings.context, warnings.includes('shortened')];
    };
    expect(await contextOf(repeated(100, 60))).toEqual([128, false]);
    expect(await contextOf([...repeated(199, 100), 3000])).toEqual([128, false]);
    expect(await contextOf([...repeated(90, 100), ...repeated(10, 900)])).toEqual([1024, false]);
    expect(await contextOf(repeated(100, 20_000))).toEqual([4096, true]);
    const short = { ...model, contextLength: 512 };
    expect(await contextOf(repeated(100, 900), { model: short })).toEqual([512, true]);
    // Texts are read in pieces, and lose nothing.
    const texts = await suggested({ lengths: repeated(100, 20_000), texts: true });
    expect(texts.settings.context).toBe(512);
    expect(texts.warnings).not.toContain('shortened');
  });

  test('says how many steps there will be, nearly as the trainer plans them', async () => {
    const cases = [
      repeated(100, 40),
      repeated(500, 100),
      Array.from({ length: 400 }, (_, at) => 10 + (at % 90)),
    ];
    for (const lengths of [...cases, Array.from({ length: 1000 }, (_, at) => 20 + ((at * 37) % 700))]) {
      const { settings, steps } = await suggested({ lengths });
      const samples = lengths.map((length) => ({ tokens: repeated(length, 1), learnt: [] }));
      const plan = new Plan(samples, [], settings);
      expect(steps / plan.steps).toBeGreaterThan(0.8);
      expect(steps / plan.steps).toBeLessThan(1.25);
    }
  });
});

describe('memory', () => {
  test('is told honestly: what does not fit is not said to, and contexts are cut before that', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyData,
        anyMachine,
        fc.option(fc.integer({ min: 1e8, max: 2e10 })),
        async (data, machine, bytes) => {
          const chatModel = bytes === null ? null : { bytes };
          const found = await suggested(data, { chatModel }, machine);
          const most = machine.free + (bytes ?? 0);
          expect(found.fits).toBe(found.bytes <= most);
          expect(found.freeBytes).toBeLessThanOrEqual(most);
          if (!found.fits) expect(found.settings.context).toBe(128);
          const needsRoom = found.fits && found.bytes > machine.free;
          if (needsRoom) expect(found.warnings).toContain('chat-makes-room');
          if (chatModel === null) expect(found.warnings).not.toContain('chat-makes-room');
        },
      ),
    );
  });

  test('that is short makes the context shorter, and that examples lose their ends is said', async () => {
    const machine = { free: 2e9, base: 1e9, perToken: 1e6, tokensPerSecond: 1e5 };
    const lengths = repeated(100, 1900);
    const { settings, fits, warnings } = await suggested({ lengths }, {}, machine);
    expect([settings.context, fits, warnings.includes('shortened')]).toEqual([512, true, true]);
    // A context of one's own stays.
    const own = await suggested({ lengths }, { given: { context: 2048 } }, machine);
    expect([own.settings.context, own.fits]).toEqual([2048, false]);
    // And the model of the chat goes before the ends of examples do.
    const beside = await suggested({ lengths }, { chatModel: { bytes: 4e9 } }, machine);
    expect([beside.settings.context, beside.fits, beside.warnings]).toEqual([
      2048,
      true,
      ['chat-makes-room', 'no-validation'],
    ]);
  });

  test('that a person has limited is shared with the model of the chat', async () => {
    const given = { memoryLimit: 10e9 };
    const alone = await suggested({ lengths: repeated(100, 60) }, { given, chatModel: { bytes: 1e9 } });
    expect(alone.warnings).not.toContain('chat-makes-room');
    const both = await suggested({ lengths: repeated(100, 60) }, { given, chatModel: { bytes: 4e9 } });
    expect(both.warnings).toContain('chat-makes-room');
  });
});

describe('time', () => {
  test('is a night at most, unless reading the data once takes longer', async () => {
    const night = 8 * 3600;
    await fc.assert(
      fc.asyncProperty(anyData, anyMachine, async (data, machine) => {
        const { seconds, settings, warnings } = await suggested(data, {}, machine);
        expect(seconds === null).toBe(machine.tokensPerSecond === null);
        if (settings.epochs > 1) expect(seconds ?? 0).toBeLessThanOrEqual(night);
        expect(warnings.includes('long')).toBe((seconds ?? 0) > 3600);
      }),
    );
    const slow = { tokensPerSecond: 20 };
    const { settings } = await suggested({ lengths: repeated(2000, 100) }, {}, slow);
    expect(settings.epochs).toBe(2);
    // A person's own epochs take as long as they take.
    const own = await suggested({ lengths: repeated(2000, 100) }, { given: { epochs: 3 } }, slow);
    expect(own.settings.epochs).toBe(3);
    expect(own.seconds).toBeGreaterThan(night);
  });

  test('also goes by for what is measured', async () => {
    const lengths = repeated(500, 100);
    const without = await suggested({ lengths: lengths.slice(50) });
    const beside = await suggested({ lengths, validation: 50 });
    expect(beside.examples).toBe(without.examples);
    expect(beside.seconds).toBeGreaterThan(without.seconds ?? NaN);
    expect(beside.settings.patience).not.toBeNull();
    expect(without.settings.patience).toBeNull();
    expect(without.warnings).toContain('no-validation');
  });
});

test('Little to learn from is said, whether it is examples or text', async () => {
  const few = async (data: Data) => (await suggested(data)).warnings.includes('few-examples');
  expect(await few({ lengths: repeated(3, 20) })).toBe(true);
  expect(await few({ lengths: repeated(200, 20) })).toBe(false);
  expect(await few({ lengths: [1000], texts: true })).toBe(true);
  expect(await few({ lengths: [200_000], texts: true })).toBe(false);
});

test('Larger models learn at lower rates, as QLoRA has it, and more tokens get a higher rank', async () => {
  const of = async (parameters: number, count: number) =>
    (await suggested({ lengths: repeated(count, 300) }, { model: { ...model, parameters } })).settings;
  const rates = await Promise.all([1e6, 5e8, 7e9, 13e9, 65e9].map((parameters) => of(parameters, 5000)));
  expect(rates.map(({ learningRate }) => learningRate)).toEqual([2e-3, 4e-4, 2e-4, 2e-4, 1e-4]);
  const ranks = await Promise.all([100, 1000, 20_000].map((count) => of(7e9, count)));
  expect(ranks.map(({ rank }) => rank)).toEqual([8, 16, 32]);
});
