import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, type EngineProcess } from '../../src/main/engine/index.ts';
import { SilenceWatch } from '../../src/main/engine/silence-watch.ts';
import { StderrTail } from '../../src/main/engine/stderr-tail.ts';

type Jobs = { echo: { input: string; event: string; result: string } };

/** A process in name only, which does what a test says. */
class PretendedProcess implements EngineProcess {
  readonly pid = 1;
  readonly sent: { type: string; id?: number }[] = [];
  tell: (message: unknown) => void = () => undefined;
  write: (text: string) => void = () => undefined;
  exit: (code: number | null, signal: string | null) => void = () => undefined;

  send(message: unknown): void {
    this.sent.push(message as { type: string });
    if ((message as { type: string }).type === 'stop') this.exit(0, null);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.tell = listener;
  }
  onStderr(listener: (text: string) => void): void {
    this.write = listener;
  }
  onExit(listener: (code: number | null, signal: string | null) => void): void {
    this.exit = listener;
  }
  kill(): void {
    this.exit(null, 'SIGKILL');
  }
}

let processes: PretendedProcess[];
let engine: Engine<Jobs>;

/** Whoever waits longer than the test takes, waits for ever. */
const forEver = 600_000;

function start(pausesMs: number[]): void {
  processes = [];
  engine = new Engine<Jobs>({
    ...{ entry: { file: 'engine.ts' }, pausesMs },
    launch() {
      const launched = new PretendedProcess();
      processes.push(launched);
      return launched;
    },
  });
}

beforeEach(() => start([0]));
afterEach(() => engine.stop());

/** The process that is forked next, once it has its job. */
async function launched(count: number): Promise<PretendedProcess> {
  await vi.waitFor(() => expect(processes[count - 1]?.sent).toHaveLength(1));
  return processes[count - 1] as PretendedProcess;
}

/** The engine forks, gets a job and dies. */
async function die(): Promise<void> {
  const job = engine.run('echo', '').catch((error: unknown) => error);
  (await launched(processes.length + 1)).exit(1, null);
  expect(await job).toMatchObject({ code: 'engine-died' });
}

async function answer(text: string): Promise<void> {
  const answering = await launched(processes.length + 1);
  answering.tell({ type: 'result', id: answering.sent[0]?.id, result: text });
}

describe('an engine that keeps dying', () => {
  test('is started again after a pause, at last after the longest', async () => {
    start([0, 1, 300]);
    for (let deaths = 1; deaths <= 4; deaths++) await die();
    const job = engine.run('echo', '');
    await Promise.resolve();
    expect(processes).toHaveLength(4);
    await answer('again');
    expect(await job).toBe('again');
    expect(processes).toHaveLength(5);
  });

  test('lets a job that waits for it be cancelled, and starts for the others', async () => {
    start([0, 100]);
    await die();
    const stop = new AbortController();
    const impatient = engine.run('echo', '', { signal: stop.signal });
    const patient = engine.run('echo', '');
    stop.abort();
    await expect(impatient).rejects.toMatchObject({ code: 'cancelled' });
    expect(processes).toHaveLength(1);
    await answer('patient');
    expect(await patient).toBe('patient');
  });

  test('does not start any more once it is stopped', async () => {
    start([0, forEver]);
    await die();
    const waiting = expect(engine.run('echo', '')).rejects.toMatchObject({ code: 'cancelled' });
    await engine.stop();
    await waiting;
    expect(processes).toHaveLength(1);
  });
});

describe('an engine that cannot be started', () => {
  test('says why when forking fails', async () => {
    engine = new Engine<Jobs>({
      entry: { file: 'engine.ts' },
      launch() {
        throw new Error('fork EAGAIN');
      },
    });
    const refused = expect(engine.run('echo', '')).rejects.toMatchObject({
      code: 'engine-died',
      message: expect.stringContaining('fork EAGAIN') as string,
    });
    await refused;
  });

  test('says why when there is no program to run', async () => {
    const job = engine.run('echo', '').catch((error: unknown) => error);
    await vi.waitFor(() => expect(processes).toHaveLength(1));
    processes[0]?.write('spawn node ENOENT');
    processes[0]?.exit(null, null);
    expect(await job).toMatchObject({
      message: 'The engine stopped working. It could not be started. Its last words: spawn node ENOENT',
    });
  });
});

test('a job that is cancelled while it runs is cancelled in the process', async () => {
  const stop = new AbortController();
  const job = engine.run('echo', '', { signal: stop.signal });
  await vi.waitFor(() => expect(processes[0]?.sent).toHaveLength(1));
  stop.abort();
  expect(processes[0]?.sent.map(({ type }) => type)).toEqual(['job', 'cancel']);
  processes[0]?.tell({ type: 'result', id: 1, result: 'cut short' });
  expect(await job).toBe('cut short');
});

describe('silence', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('is noticed after the time that is allowed', () => {
    const onSilence = vi.fn();
    const watch = new SilenceWatch(1_000, onSilence);
    vi.advanceTimersByTime(900);
    watch.heard();
    vi.advanceTimersByTime(900);
    expect(onSilence).not.toHaveBeenCalled();
    vi.advanceTimersByTime(350);
    expect(onSilence).toHaveBeenCalledOnce();
    watch.end();
  });

  test('is not what a sleeping computer is', () => {
    const onSilence = vi.fn();
    const watch = new SilenceWatch(1_000, onSilence);
    vi.advanceTimersByTime(700);
    // Hours pass in which no timer runs.
    vi.setSystemTime(Date.now() + 8 * 3_600_000);
    vi.advanceTimersToNextTimer();
    watch.heard();
    vi.advanceTimersByTime(700);
    expect(onSilence).not.toHaveBeenCalled();
    watch.end();
  });
});

describe('last words', () => {
  test('are the line that says most', () => {
    const tail = new StderrTail();
    tail.add('load: something\nggml.c:42: GGML_ASSERT(a == b) failed\n');
    tail.add('[New LWP 17]\n#1 0x0000\n');
    expect(tail.lastWords).toBe('ggml.c:42: GGML_ASSERT(a == b) failed');
  });

  test('are the last line where none stands out, and nothing where nothing was said', () => {
    const tail = new StderrTail();
    expect(tail.lastWords).toBe('');
    tail.add('one\n two \n\n');
    expect(tail.lastWords).toBe('two');
  });

  test('do not grow without end', () => {
    const tail = new StderrTail();
    for (let line = 0; line < 10_000; line++) tail.add(`line ${line}\n`);
    expect(tail.text.length).toBeLessThan(10_000);
    expect(tail.lastWords).toBe('line 9999');
  });
});
