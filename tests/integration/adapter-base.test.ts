import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AdapterChoice, defaultSampling } from '../../src/shared/contract/index.ts';
import { databaseFile, History, openDatabase } from '../../src/main/history/index.ts';
import type { TrainingSettings } from '../../src/main/training/messages.ts';
import { readGguf, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { anyBaseAdvice } from '../../src/shared/other-base.ts';
import { run as puna } from '../support/command.ts';
import { TestEngine } from '../support/inference.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { rewrite } from '../support/rewritten-gguf.ts';
import { replyFinished, startShell, temporaryFolder } from '../support/shell.ts';
import { startRun } from '../support/training.ts';

const settings: Partial<TrainingSettings> = {
  ...{ rank: 2, alpha: 4, context: 64, batch: 1, steps: 1, validation: 0, threads: 1 },
};
const testEngine = new TestEngine();
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let inFolder: (name: string) => string;
/** The base, the same in another quantization, the same with another name, and an adapter that was trained on the first. */
let model: string;
let requantized: string;
let renamed: string;
let trained: string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  inFolder = (name) => join(temporary.folder, name);
  model = await buildTinyModel(inFolder('model.gguf'), { tensorType: 'Q8_0' });
  requantized = await buildTinyModel(inFolder('requantized.gguf'), { tensorType: 'F16' });
  renamed = inFolder('renamed.gguf');
  await rewrite(model, renamed, {
    metadata: [['general.name', { type: 'string', value: 'Tiny '.repeat(20) }]],
  });
  trained = inFolder('trained.gguf');
  await startRun({ model, data: ['tests/fixtures/datasets/sharegpt.json'], out: trained, settings }).result;
});
afterAll(async () => {
  await testEngine.stop();
  await temporary.remove();
});

/** What a model says with an adapter. */
async function ask(path: string, adapter: string, anyBase?: boolean): Promise<string> {
  await testEngine.load(path, { contextSize: 256 });
  const adapters = [{ path: adapter, scale: 1, ...(anyBase !== undefined && { anyBase }) }];
  return (await testEngine.ask('Hello', { adapters })).text;
}

describe('an adapter that tells its base', () => {
  test('works with it', async () => {
    expect(await ask(model, trained)).not.toBe('');
  });

  test('is refused by the same model in another quantization, which may be allowed and forbidden again', async () => {
    const refusal = {
      code: 'invalid-input',
      message: 'trained.gguf was trained on "Tiny Q8_0", and this model is another file.',
      remedy: `${anyBaseAdvice}: its shapes fit, as they do where this is the same model in another quantization.`,
    };
    await expect(ask(requantized, trained)).rejects.toMatchObject(refusal);
    const adapter = { path: trained, scale: 1 };
    expect((await testEngine.ask('Hello', { adapters: [{ ...adapter, anyBase: true }] })).text).not.toBe('');
    await expect(testEngine.ask('Hello', { adapters: [adapter] })).rejects.toMatchObject(refusal);
  });

  test('is refused by a file of the same tensors and another size, and nothing is said of quantization', async () => {
    await expect(ask(renamed, trained)).rejects.toMatchObject({ remedy: `${anyBaseAdvice}.` });
    expect(await ask(renamed, trained, true)).not.toBe('');
  });

  test('is refused for its shapes even where it is allowed, with the name of its base', async () => {
    const other = await buildTinyModel(inFolder('other.gguf'), { shape: { embedding: 128 } });
    await expect(ask(other, trained, true)).rejects.toMatchObject({
      message: 'trained.gguf changes "blk.0.attn_q.weight" of 64 × 64, which is of 128 × 128 in this model.',
      remedy: 'Choose the model that it was trained on, "Tiny Q8_0", or switch the adapter off.',
    });
  });

  test('is allowed by an option of puna chat, which its refusal names', async () => {
    const words = [
      'chat',
      '--model',
      requantized,
      '--adapter',
      trained,
      '--prompt',
      'Hi',
      '--max-tokens',
      '4',
    ];
    expect(await puna(words)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('allow the adapter on others (--any-base): its shapes fit') as string,
    });
    expect(await puna([...words, '--any-base'])).toMatchObject({ status: 0 });
  });
});

describe('any adapter', () => {
  let tiny: string;
  beforeAll(async () => {
    tiny = await buildTinyModel(inFolder('tiny.gguf'));
  });

  test('that does not tell its base works with all that it fits', async () => {
    const path = await buildTinyAdapter(inFolder('silent.gguf'));
    expect(await ask(tiny, path)).not.toBe('');
    const other = await buildTinyModel(inFolder('tiny-f16.gguf'), { tensorType: 'F16' });
    expect(await ask(other, path)).not.toBe('');
  });

  test('for other shapes is refused with the tensor and both shapes, and the model stays', async () => {
    const path = await buildTinyAdapter(inFolder('wide.gguf'), { shape: { feedForward: 256 } });
    await expect(ask(tiny, path)).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'wide.gguf changes "blk.0.ffn_gate.weight" of 64 × 256, which is of 64 × 128 in this model.',
      remedy: 'Choose the model that it was trained on, or switch the adapter off.',
    });
    expect((await testEngine.ask('Hello')).tokens).toBeGreaterThan(0);
  });

  test('for more layers is refused with what the model lacks', async () => {
    const path = await buildTinyAdapter(inFolder('deep.gguf'), { shape: { layers: 3 } });
    await expect(ask(tiny, path)).rejects.toMatchObject({
      message: 'deep.gguf changes "blk.2.attn_q.weight", which this model does not have.',
    });
  });

  test.each([
    ['may leave out the rank where it is 1', 'blk.0.ffn_down.weight', [128], [1, 64], null],
    ['turns the embedding around, as llama.cpp wants it', 'token_embd.weight', [2, 'words'], [2, 64], null],
    [
      ...['must have the same rank in both halves', 'blk.0.ffn_down.weight', [128, 3], [2, 64]],
      'is damaged: for "blk.0.ffn_down.weight", lora_a of 128 × 3 and lora_b of 2 × 64 do not go together.',
    ],
  ] as const)('%s', async (what, weight, a, b, complaint) => {
    const words =
      (await readGguf(tiny)).tensors.find(({ name }) => name === 'token_embd.weight')?.shape[1] ?? 0;
    const path = inFolder(`${what.replaceAll(/\W/g, '-')}.gguf`);
    const shapes = { lora_a: a.map((length) => (length === 'words' ? words : length)), lora_b: [...b] };
    await buildTinyAdapter(path);
    await writeGguf(path, {
      metadata: (await readGguf(path)).metadata,
      tensors: Object.entries(shapes).map(([half, shape]) => ({
        ...{ name: `${weight}.${half}`, type: 'F32', shape },
        data: new Uint8Array(4 * shape.reduce((product, length) => product * length, 1)),
      })),
    });
    const said = ask(tiny, path);
    if (complaint === null) expect(await said).not.toBe('');
    else await expect(said).rejects.toMatchObject({ message: expect.stringContaining(complaint) as string });
  });
});

describe('a conversation', () => {
  test('says why its adapter is refused, works once that is allowed, and keeps it in exports', async () => {
    const shell = await startShell({ dataFolder: inFolder('data') });
    try {
      const { client } = shell;
      const { id: modelId } = await client.models.add({ path: requantized });
      const { id: adapterId } = await client.models.add({ path: trained });
      const sampling = { ...defaultSampling, maxTokens: 4 };
      const { id: conversationId } = await client.conversations.create({ modelId, sampling });
      const choose = (choice: Partial<AdapterChoice>) =>
        client.conversations.update({
          ...{ conversationId, patch: { adapters: [{ adapterId, scale: 1, ...choice }] } },
        });
      const last = async () => (await client.messages.path({ conversationId, limit: 10 })).messages.at(-1);
      await choose({});
      const { reply } = await client.chat.send({
        conversationId,
        parentId: null,
        text: 'Hi',
        attachments: [],
      });
      await replyFinished(shell);
      expect(await last()).toMatchObject({
        status: 'failed',
        error: expect.stringContaining(anyBaseAdvice) as string,
      });
      await choose({ anyBase: true });
      await client.chat.regenerate({ messageId: reply.id });
      await replyFinished(shell);
      expect(await last()).toMatchObject({ status: 'complete' });
      expect(await client.conversations.get({ conversationId })).toMatchObject({
        adapters: [{ adapterId, scale: 1, anyBase: true }],
      });
    } finally {
      await shell.stop();
    }

    const database = openDatabase(databaseFile(inFolder('data')));
    const history = new History(database);
    let json = '';
    for await (const piece of history.exportHistory({ format: 'json' })) json += piece;
    await writeFile(inFolder('export.json'), json);
    await history.importHistory(inFolder('export.json'));
    const { conversations } = history.conversations.list({ archived: false, cursor: null, limit: 10 });
    expect(conversations.map(({ id }) => history.conversations.get(id).adapters)).toEqual(
      Array(2).fill([{ adapterId: expect.any(Number) as number, scale: 1, anyBase: true }]),
    );
    database.close();
  });
});
