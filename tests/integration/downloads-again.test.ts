import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Download, PunaEvent } from '../../src/shared/contract/index.ts';
import { Events } from '../../src/main/events.ts';
import { databaseFile, openDatabase } from '../../src/main/history/index.ts';
import { Downloads, HubService } from '../../src/main/hub-service/index.ts';
import { Library } from '../../src/main/library/index.ts';
import { FileSecrets, secretsFile } from '../../src/main/secrets/index.ts';
import { sha256, startHub, type StandInHub } from '../support/hub.ts';
import { buildScriptedModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

const order = { repository: 'someone/golden-GGUF', file: 'golden-Q4_K_M' };
const file = 'golden-Q4_K_M.gguf';
const hour = 3_600_000;

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let model: Buffer;
let hub: StandInHub;
const running: { downloads: Downloads; close: () => Promise<void> }[] = [];

beforeEach(async () => {
  Reflect.deleteProperty(process.env, 'HF_TOKEN');
  temporary = await temporaryFolder();
  model = await readFile(await buildScriptedModel(join(temporary.folder, 'model.gguf'), { reply: 'Hello' }));
  hub = await startHub([{ id: order.repository, files: { [file]: model } }]);
});
afterEach(async () => {
  for (const { close } of running.splice(0)) await close();
  await hub.close();
  await temporary.remove();
});

/** Remembers how downloads have stood. */
class HeardEvents extends Events {
  readonly seen: Download[] = [];

  override publish(event: PunaEvent): void {
    if (event.type === 'download') this.seen.push(event.download);
  }
}

/** Puna's downloads over a database, as a program that runs has them. One try fails at once; `pausesMs`: before the next ones. */
async function started(pausesMs: readonly number[]): Promise<{ downloads: Downloads; seen: Download[] }> {
  const { folder } = temporary;
  const database = openDatabase(databaseFile(folder));
  const modelsFolder = join(folder, 'models');
  const library = new Library({ database, modelsFolder, onChange: () => undefined });
  const secrets = new FileSecrets(secretsFile(folder));
  const room = () => Promise.resolve(() => true);
  const service = new HubService({ database, library, secrets, modelsFolder, room });
  await service.configure({ endpoint: hub.url });
  const events = new HeardEvents();
  const downloads = new Downloads({
    ...{ database, library, hub: service, events, modelsFolder },
    ...{ retries: { attempts: 1, firstPauseMs: 1 }, laterRetries: { pausesMs } },
  });
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await downloads.close();
    database.close();
  };
  running.push({ downloads, close });
  return { downloads, seen: events.seen };
}

const now = (downloads: Downloads) => downloads.list()[0];
const inState = (downloads: Downloads, wanted: Partial<Download>) =>
  expect.poll(() => now(downloads), { timeout: 20_000 }).toMatchObject(wanted);
const putOff = { state: 'waiting', retryAt: expect.any(Number) as number } as const;

describe('A download that failed', () => {
  // Asking for a large file meets the fault twice: at the hub, and where that leads to.
  test.each([
    ['the server has trouble of its own', { status: 503, times: 4 }],
    ['it has been asked too often', { status: 429, headers: { 'retry-after': '0' }, times: 4 }],
    ['the connection breaks', { dropAt: 100, times: 4 }],
  ])('because %s is tried again by itself, and says so meanwhile', async (_, fault) => {
    hub.fault(file, fault);
    const { downloads, seen } = await started([10]);
    await downloads.start(order);
    await inState(downloads, { state: 'done', error: null, retryAt: null });
    const waits = seen.filter(({ retryAt }) => retryAt !== null);
    expect(waits.map(({ state, error }) => [state, error?.code])).toEqual([
      ['waiting', 'network'],
      ['waiting', 'network'],
    ]);
    expect(waits.every(({ retryAt, createdAt }) => (retryAt ?? 0) > createdAt)).toBe(true);
    expect(sha256(await readFile(now(downloads)?.path ?? ''))).toBe(sha256(model));
  });

  test.each([
    ['what arrives is another file', 'network', { bytes: Buffer.alloc(5000, 1) }],
    ['it may not have it', 'no-access', { status: 403 }],
    ['the file is gone', 'not-found', { status: 404 }],
    ['a web page arrives', 'network', { html: true }],
  ])('because %s is left to the person', async (_, code, fault) => {
    hub.fault(file, 'bytes' in fault ? { bytes: Buffer.alloc(model.length, 1) } : fault);
    const { downloads, seen } = await started([10]);
    await downloads.start(order);
    await inState(downloads, { state: 'failed', retryAt: null });
    expect(now(downloads)?.error?.code).toBe(code);
    expect(seen.some(({ retryAt }) => retryAt !== null)).toBe(false);
  });

  test('waits longer from failure to failure, leaves its place to others, and goes on at once when it is told to', async () => {
    hub.put({ id: 'other/m', files: { 'm-Q4_K_M.gguf': model, 'n-Q4_K_M.gguf': model } });
    for (const name of [file, 'm-Q4_K_M.gguf']) hub.fault(name, { status: 503 });
    const { downloads } = await started([10, hour]);
    const { id } = await downloads.start(order);
    await downloads.start({ repository: 'other/m', file: 'm-Q4_K_M' });
    const isPutOff = (each: Download) => (each.retryAt ?? 0) > Date.now() + hour / 2;
    await expect.poll(() => downloads.list().filter(isPutOff).length, { timeout: 20_000 }).toBe(2);
    // Both that may be at work at a time are put off: a third one is not kept waiting.
    await downloads.start({ repository: 'other/m', file: 'n-Q4_K_M' });
    await inState(downloads, { name: 'n-Q4_K_M', state: 'done' });

    hub.fault(file, null);
    expect(await downloads.resume(id)).toMatchObject({ retryAt: null, error: null });
    await expect
      .poll(() => downloads.list().find((each) => each.id === id)?.state, { timeout: 20_000 })
      .toBe('done');
  });

  test('is stopped by a pause, and stays so', async () => {
    hub.fault(file, { status: 503 });
    const { downloads } = await started([hour]);
    const { id } = await downloads.start(order);
    await inState(downloads, putOff);
    expect(await downloads.pause(id)).toMatchObject({ state: 'paused', error: null, retryAt: null });
    for (const { close } of running) await close();
    expect(now((await started([hour])).downloads)).toMatchObject({ state: 'paused' });
  });

  test('is tried again with the next start', async () => {
    hub.fault(file, { status: 503 });
    const first = await started([hour]);
    await first.downloads.start(order);
    await inState(first.downloads, putOff);
    for (const { close } of running) await close();
    hub.fault(file, null);
    await inState((await started([hour])).downloads, { state: 'done', error: null });
  });
});
