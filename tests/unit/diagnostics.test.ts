import { describe, expect, test } from 'vitest';
import { type Facts, findingsOf } from '../../src/main/diagnostics/findings.ts';
import { reportOf } from '../../src/main/diagnostics/report.ts';
import type { EngineEnd } from '../../src/main/engine/roster.ts';
import { endText, EngineRoster } from '../../src/main/engine/roster.ts';
import type { EngineProcess } from '../../src/main/engine/process.ts';
import { PunaError } from '../../src/shared/error.ts';

const at = Date.UTC(2026, 10, 20);
const machine = {
  ...{ processor: 'A processor', cores: 8, threads: 7 },
  memory: { total: 16e9, free: 8e9, limited: false },
  gpu: null,
  disk: { free: 100e9, readBytesPerSecond: null },
  bandwidth: null,
};
const database = { bytes: 1e6, version: 8, conversations: 3, messages: 9, newest: at - 1000, problems: [] };
const well: Facts = {
  ...{ at, knownVersion: 8, refused: null, resources: null, engines: [] },
  machine: { value: machine },
  llama: { value: { release: 'b1', gpu: null, usable: [] } },
  database: { value: database },
};
const kinds = (facts: Partial<Facts>) => findingsOf({ ...well, ...facts }).map(({ kind }) => kind);
const failed = (code: PunaError['code']) => ({ error: new PunaError(code, 'Something of /home/ada.') });

describe('A finding is told of', () => {
  test.each<[string, Partial<Facts>, string[]]>([
    ['nothing', {}, []],
    ['no database yet', { database: null }, []],
    ['a folder that refuses', { refused: failed('invalid-input').error }, ['folder-read-only']],
    [
      'a folder that is gone, which says all of its database',
      { refused: failed('file-missing').error, database: failed('internal') },
      ['folder-missing'],
    ],
    [
      'a folder that is gone, and why nothing computes',
      { refused: failed('file-missing').error, llama: failed('internal') },
      ['folder-missing', 'llama-missing'],
    ],
    ['no starter model', { resources: failed('file-damaged').error }, ['resources-missing']],
    ['a full disk', { refused: failed('disk-full').error }, ['disk-low']],
    [
      'little room',
      { machine: { value: { ...machine, disk: { ...machine.disk, free: 5e8 } } } },
      ['disk-low'],
    ],
    ['damage', { database: { value: { ...database, problems: ['Page 3'] } } }, ['database-damaged']],
    ['no database at all', { database: failed('database-damaged') }, ['database-damaged']],
    ['a locked database', { database: failed('database-locked') }, ['database-unreadable']],
    ['a newer database', { database: { value: { ...database, version: 9 } } }, ['database-newer']],
    ['no llama.cpp', { llama: failed('internal') }, ['llama-missing']],
    [
      'a driver that does not help',
      { llama: { value: { release: 'b1', gpu: null, usable: ['vulkan'] } } },
      ['gpu-unused'],
    ],
    ['a GPU at work', { llama: { value: { release: 'b1', gpu: 'cuda', usable: ['cuda'] } } }, []],
    ['deaths', { engines: [{ name: 'x-engine', running: 0, starts: 2, deaths: 1 }] }, ['engine-died']],
    ['a clock that began anew', { at: 1000 }, ['clock-behind']],
    ['times to come', { at: at - 3 * 24 * 60 * 60 * 1000 }, ['clock-moved']],
  ])('%s', (_what, facts, expected) => {
    expect(kinds(facts)).toEqual(expected);
    for (const { sentence, remedy } of findingsOf({ ...well, ...facts })) {
      expect(sentence).toMatch(/^([A-Z]|llama).*\.$/);
      expect(remedy).not.toBe('');
      expect(sentence + remedy).not.toContain('ada');
    }
  });
});

test('A report shows a log with fences in it as one block', () => {
  const report = reportOf({
    ...{ at, shell: 'browser', system: 'Linux', dataFolder: '~/Puna', chat: null, engines: [], findings: [] },
    versions: {
      ...{ puna: '1', node: '24', electron: null, nodeLlamaCpp: '3', llamaCpp: null, sqlite: null },
    },
    ...{ machine, database, log: ['a', '```', 'b'] },
  });
  expect(report).toContain('\n````\na\n```\nb\n````\n');
});

describe('The list of engines', () => {
  /** A process that ends when it is told how. */
  function fakeProcess() {
    const heard: {
      stderr: ((text: string) => void)[];
      exit: ((code: number | null, signal: string | null) => void)[];
    } = {
      ...{ stderr: [], exit: [] },
    };
    const process: EngineProcess = {
      pid: 1,
      send: () => undefined,
      onMessage: () => undefined,
      onStderr: (listener) => void heard.stderr.push(listener),
      onExit: (listener) => void heard.exit.push(listener),
      kill: () => undefined,
    };
    return { process, heard };
  }

  test('tells those that were asked to end from those that died, with their last words', () => {
    const ends: EngineEnd[] = [];
    const roster = new EngineRoster((end) => ends.push(end));
    const [first, second] = [fakeProcess(), fakeProcess()];
    const processes = [first.process, second.process];
    const launch = roster.keeping(() => processes.shift() ?? first.process);
    launch('/x/src/main/inference/engine.ts').send({ type: 'stop' });
    launch('C:\\x\\out\\main\\inference-engine.js'.replaceAll('\\', '/'));
    expect(roster.records).toEqual([{ name: 'inference-engine', running: 2, starts: 2, deaths: 0 }]);
    for (const listener of first.heard.exit) listener(0, null);
    for (const listener of second.heard.stderr) listener('hello\nGGML_ASSERT(x) failed\n');
    for (const listener of second.heard.exit) listener(null, 'SIGABRT');
    expect(roster.records).toEqual([{ name: 'inference-engine', running: 0, starts: 2, deaths: 1 }]);
    expect(ends.map(endText)).toEqual([
      'inference-engine has ended.',
      'inference-engine stopped by itself (SIGABRT). Its last words: GGML_ASSERT(x) failed',
    ]);
  });
});
