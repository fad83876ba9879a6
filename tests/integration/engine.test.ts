import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import type { SampleJobs } from '../support/sample-engine.ts';

const file = fileURLToPath(new URL('../support/sample-engine.ts', import.meta.url));
let engine: Engine<SampleJobs>;
let exits: (string | null)[];

function start(silenceMs?: number): void {
  engine = new Engine<SampleJobs>({
    ...{ entry: { file }, launch: launchChildProcess },
    ...(silenceMs !== undefined && { silenceMs }),
  });
  exits = [];
  engine.onExit((reason) => exits.push(reason));
}

beforeEach(() => start());
afterEach(() => engine.stop());

/** Whether a process is there; signal 0 only asks. */
function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 100 && alive(pid); tries++) await setTimeout(50);
  expect(alive(pid)).toBe(false);
}

describe('an engine', () => {
  test('is started by the first job and answers several at once, each with its own events', async () => {
    expect(engine.running).toBe(false);
    const texts = ['one', 'two', '셋'];
    const seen: string[][] = [[], [], []];
    const results = await Promise.all(
      texts.map((text, index) =>
        engine.run('echo', { text }, { onEvent: (event) => seen[index]?.push(event.seen) }),
      ),
    );
    expect(results.map(({ text }) => text)).toEqual(texts);
    expect(seen).toEqual(texts.map((text) => [text]));
    expect(new Set(results.map(({ pid }) => pid)).size).toBe(1);
  });

  test('passes on what a job reports, with its remedy', async () => {
    await expect(engine.run('refuse', null)).rejects.toMatchObject({
      ...{ code: 'out-of-memory', message: 'There is too little memory.', remedy: 'Close something.' },
    });
  });

  test('cancels a job', async () => {
    const stop = new AbortController();
    const onEvent = () => stop.abort();
    expect(await engine.run('wait', null, { signal: stop.signal, onEvent })).toEqual({ cancelled: true });
  });

  test('that dies fails its jobs with its last words, and is started again by the next one', async () => {
    const waiting = engine.run('wait', null);
    const dying = engine.run('die', { words: 'ggml.c:42: GGML_ASSERT(ne0 == 7) failed' });
    const expected = {
      code: 'engine-died',
      message: expect.stringContaining('GGML_ASSERT(ne0 == 7) failed') as string,
    };
    await expect(dying).rejects.toMatchObject(expected);
    await expect(waiting).rejects.toMatchObject(expected);
    expect(exits).toEqual([expect.stringContaining('GGML_ASSERT')]);
    expect((await engine.run('echo', { text: 'again' })).text).toBe('again');
  });

  test('that hangs is killed and says so', async () => {
    await engine.stop();
    start(2_500);
    await engine.run('echo', { text: '' });
    await expect(engine.run('block', { ms: 60_000 })).rejects.toMatchObject({
      message: expect.stringContaining('no longer answered') as string,
    });
  });

  test('that is stopped leaves, cancels its jobs and is not a failure', async () => {
    const { pid } = await engine.run('echo', { text: '' });
    const waiting = engine.run('wait', null);
    const cancelled = expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await engine.stop();
    await cancelled;
    expect(alive(pid)).toBe(false);
    expect(exits).toEqual([null]);
  });

  test('that does not listen is stopped all the same', async () => {
    const { pid } = await engine.run('echo', { text: '' });
    const blocked = engine.run('block', { ms: 60_000 }).catch(() => undefined);
    await engine.stop();
    await blocked;
    expect(alive(pid)).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('a parent that is killed', () => {
  test.each(['idle', 'block'])('leaves no orphan, when the engine is in: %s', async (mode) => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('../support/engine-parent.ts', import.meta.url)), mode],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const pid = Number(line);
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await gone(pid);
  });
});
