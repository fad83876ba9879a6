import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChildProcess } from '../../src/main/engine/index.ts';
import { Machine } from '../../src/main/machine/index.ts';
import { automaticLoadSettings } from '../../src/shared/contract/index.ts';
import { run } from '../support/command.ts';
import { compareFit, fitModels } from '../support/fit.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';
import { buildRecurrentModel, buildSlidingWindowModel } from '../support/tiny-memory-models.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let machine: Machine;
const newMachine = (isBusy = () => false) =>
  new Machine({ dataFolder: temporary.folder, launchEngine: launchChildProcess, isBusy });
beforeAll(async () => {
  temporary = await temporaryFolder();
  machine = newMachine();
});
afterAll(async () => {
  await machine.close();
  await temporary.remove();
});

const file = (name: string) => join(temporary.folder, name);
const fit = (path: string, options: Parameters<Machine['fit']>[1] = {}) =>
  machine.fit({ path, loadSettings: automaticLoadSettings }, options);

test('The machine is measured once, again on demand, and when it is another one', async () => {
  const kept = file('machine.json');
  const first = await machine.facts();
  expect(first.bandwidth?.cpu).toBeGreaterThan(1e8);
  expect(first.memory.free).toBeLessThan(first.memory.total);
  expect(first.threads).toBeLessThanOrEqual(first.cores);
  expect(first.disk.free).toBeGreaterThan(0);
  // What was written to measure the disk is gone.
  expect(await readdir(temporary.folder)).toEqual(['machine.json']);

  const measuredAt = async (measure = false) => {
    const another = newMachine();
    try {
      return (await another.facts({ measure })).bandwidth?.measuredAt ?? 0;
    } finally {
      await another.close();
    }
  };
  const before = first.bandwidth?.measuredAt ?? Infinity;
  expect(await measuredAt()).toBe(before);
  const again = await measuredAt(true);
  expect(again).toBeGreaterThan(before);

  const text = await readFile(kept, 'utf8');
  await writeFile(kept, text.replace(/"cores": \d+/, '"cores": 999'));
  const elsewhere = await measuredAt();
  expect(elsewhere).toBeGreaterThan(again);
  await writeFile(kept, text.slice(0, 100));
  expect(await measuredAt()).toBeGreaterThan(elsewhere);
});

test('While something computes, nothing is measured, and models fit all the same', async () => {
  await writeFile(file('machine.json'), '');
  let busy = true;
  const other = newMachine(() => busy);
  try {
    expect((await other.facts()).bandwidth).toBeNull();
    const path = await buildTinyModel(file('busy.gguf'));
    const found = await other.fit({ path, loadSettings: automaticLoadSettings });
    expect(found).toMatchObject({ verdict: 'well', tokensPerSecond: null });
    busy = false;
    expect((await other.facts()).bandwidth).not.toBeNull();
  } finally {
    await other.close();
  }
});

/** The estimate may be so far from the real memory. */
const tolerance = 0.15;

test
  .skipIf(process.platform !== 'linux')
  .each([
    'llama, 264 M, Q8_0, 151,000 tokens',
    'gemma3, 132 M, Q8_0, sliding windows',
    'mamba, 108 M, Q8_0, a state instead of keys',
  ])('What %s takes is known before, within 15 %', async (name) => {
  const build = fitModels[name];
  if (!build) throw new Error('There is no such model.');
  const { estimated, measured, ratioOfModel } = await compareFit(
    machine,
    await build(file('fit.gguf')),
    1024,
  );
  expect(Math.abs(estimated / measured - 1)).toBeLessThan(tolerance);
  // The engine's process alone would make it look better than it is.
  expect(Math.abs(ratioOfModel - 1)).toBeLessThan(tolerance);
});

test('What is reckoned of a configuration is what llama.cpp reckons of the file', async () => {
  const shape = { layers: 12, embedding: 512, heads: 8, kvHeads: 2, feedForward: 1024, contextLength: 8192 };
  const config = {
    ...{ hidden_size: 512, num_hidden_layers: 12, num_attention_heads: 8, num_key_value_heads: 2 },
    ...{ intermediate_size: 1024, max_position_embeddings: 8192, vocab_size: 8000 },
  };
  const options = { shape, tensorType: 'Q8_0', vocabularySize: 8000 } as const;
  const plain = await buildTinyModel(file('plain.gguf'), options);
  const windowed = await buildSlidingWindowModel(file('windowed.gguf'), { ...options, window: 512 });
  for (const [path, more] of [
    [plain, {}],
    [windowed, { model_type: 'gemma3', sliding_window: 512 }],
  ] as const) {
    const near = await fit(path);
    const far = await machine.fitFar({
      bytes: near.parts.weights,
      quantization: 'Q8_0',
      config: { ...config, ...more },
    });
    expect(far.contextSize).toBe(near.contextSize);
    expect(far.layers).toBe(near.layers);
    expect(Math.abs(far.parts.context / near.parts.context - 1)).toBeLessThan(0.1);
    expect(Math.abs(far.mostBytes / near.mostBytes - 1)).toBeLessThan(0.05);
    expect((far.tokensPerSecond ?? 0) / (near.tokensPerSecond ?? 1)).toBeGreaterThan(0.7);
  }
});

test('Whether there is room for many far models is known from one look, and nothing is measured for it', async () => {
  const dataFolder = file('unmeasured');
  await mkdir(dataFolder);
  let launched = 0;
  const other = new Machine({
    dataFolder,
    launchEngine: (...launch) => {
      launched++;
      return launchChildProcess(...launch);
    },
  });
  try {
    const hasRoom = await other.room();
    await other.room();
    const { memory } = await machine.facts();
    const found = [];
    for (const share of [0.01, 0.5, 0.7, 0.8, 1]) {
      const model = { bytes: memory.total * share, quantization: 'Q8_0', config: null };
      const { verdict } = await machine.fitFar(model, 4096);
      expect(hasRoom(model)).toBe(verdict !== 'not');
      found.push(hasRoom(model));
    }
    expect([found[0], found.at(-1)]).toEqual([true, false]);
    expect(launched).toBe(1);
    expect(await readdir(dataFolder)).toEqual([]);
  } finally {
    await other.close();
  }
});

test('A context for which there is no memory does not fit', async () => {
  const path = await buildTinyModel(file('long.gguf'), { shape: { layers: 16, kvHeads: 4 } });
  expect(await fit(path, { contextSize: 4096 })).toMatchObject({ verdict: 'well', contextSize: 4096 });
  const { memory } = await machine.facts();
  // 16 layers keep 64 numbers each of key and value, in two bytes.
  const contextSize = Math.ceil(memory.total / (16 * 2 * 64 * 2));
  const found = await fit(path, { contextSize });
  expect(found).toMatchObject({ verdict: 'not', contextSize });
  expect(found.parts.context / memory.total).toBeGreaterThan(0.99);
});

test('It is known with how long texts a model can be taught', async () => {
  const path = await buildTinyArchitecture(file('taught.gguf'), 'qwen3', 'Q8_0');
  expect(await fit(path)).toMatchObject({ trainingContext: null });
  expect(await fit(path, { training: true })).toMatchObject({ trainingContext: 512 });
  const mamba = await buildRecurrentModel(file('mamba.gguf'));
  expect(await fit(mamba, { training: true })).toMatchObject({ verdict: 'well', trainingContext: null });
});

test('What is no model is said to be none', async () => {
  await writeFile(file('text.gguf'), 'text');
  await expect(fit(file('text.gguf'))).rejects.toMatchObject({ code: 'not-gguf' });
  await expect(fit(file('nowhere.gguf'))).rejects.toMatchObject({ code: 'file-missing' });
  const adapter = await buildTinyAdapter(file('adapter.gguf'));
  await expect(fit(adapter)).rejects.toMatchObject({ code: 'invalid-input' });
});

test('The command tells what the page does', async () => {
  const path = await buildTinyArchitecture(file('command.gguf'), 'llama', 'Q8_0');
  const said = await run(['models', 'fit', path, '--json', '--data', temporary.folder]);
  expect(said).toMatchObject({ status: 0, stderr: '' });
  const [machineLine, result] = said.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(machineLine).toMatchObject({ type: 'machine', gpu: null });
  const { mostBytes, bytes } = await fit(path, { training: true });
  expect(result).toMatchObject({
    type: 'result',
    path,
    verdict: 'well',
    mostBytes,
    bytes,
    trainingContext: 512,
  });

  const words = await run(['models', 'fit', path, '--context', '256', '--data', temporary.folder]);
  expect(words.stdout).toMatch(/^Fits +yes$/m);
  expect(words.stdout).toMatch(/^Needs +\d+ MB with a context of 256 tokens$/m);
  expect(words.stdout).toMatch(/^Teaching +up to a context of 512 tokens$/m);
});

test('Closed while a page still waits for several models, it starts no process any more', async () => {
  const path = await buildTinyModel(file('waiting.gguf'));
  let launched = 0;
  const other = new Machine({
    dataFolder: temporary.folder,
    launchEngine: (...launch) => {
      launched++;
      return launchChildProcess(...launch);
    },
  });
  const ask = (contextSize: number) =>
    other.fit({ path, loadSettings: automaticLoadSettings }, { contextSize });
  await ask(64);
  const answers = Promise.allSettled([128, 256, 512].map(ask));
  await stat(path);
  await other.close();
  expect((await answers).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
  expect(launched).toBe(1);
});
