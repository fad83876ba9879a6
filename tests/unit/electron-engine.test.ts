import type { utilityProcess, UtilityProcess } from 'electron';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { utilityProcessLauncher } from '../../src/main/electron/engine-process.ts';
import { fakeEmitter } from '../support/electron.ts';

function launch(pid?: number) {
  const stderr = new PassThrough();
  const calls = { pid, stderr, postMessage: vi.fn(), kill: vi.fn(() => true) };
  const { target } = fakeEmitter<UtilityProcess>(calls);
  const fork = vi.fn<typeof utilityProcess.fork>(() => target);
  const engine = utilityProcessLauncher(fork)('/out/main/inference-engine.js');
  return { engine, fork, calls, child: target, stderr };
}

test('An engine is a utility process of which messages, stderr and exit are heard', () => {
  const { engine, fork, calls, child, stderr } = launch(42);
  expect(fork.mock.lastCall?.[0]).toBe('/out/main/inference-engine.js');
  expect(engine.pid).toBe(42);

  const heard: unknown[] = [];
  engine.onMessage((message) => heard.push(message));
  engine.onStderr((text) => heard.push(text));
  engine.onExit((code, signal) => heard.push({ code, signal }));
  engine.send({ type: 'stop' });
  expect(calls.postMessage).toHaveBeenCalledExactlyOnceWith({ type: 'stop' });
  child.emit('message', { type: 'ready' });
  stderr.write('ggml: 한');
  child.emit('exit', 6);
  expect(heard).toEqual([{ type: 'ready' }, 'ggml: 한', { code: 6, signal: null }]);
});

test('An engine of which V8 gives up leaves that as its last words, and main goes on', () => {
  const { engine, child } = launch(42);
  const heard: string[] = [];
  engine.onStderr((text) => heard.push(text));
  child.emit('error', 'FatalError', 'Reached heap limit', '{}');
  expect(heard).toEqual(['FatalError: Reached heap limit\n']);
});

test('An engine is asked to end, and made to end', async () => {
  const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const { engine, calls } = launch(sleeper.pid);
  engine.kill('SIGTERM');
  expect(calls.kill).toHaveBeenCalledOnce();
  engine.kill('SIGKILL');
  expect(await once(sleeper, 'exit')).toEqual([null, 'SIGKILL']);
  expect(() => engine.kill('SIGKILL')).not.toThrow();
});

test('An engine to which processes are lent asks for them, and main hears nothing of that', () => {
  const made = [1, 2].map(() => {
    const calls = { pid: 42, stderr: new PassThrough(), postMessage: vi.fn(), kill: vi.fn(() => true) };
    return { ...fakeEmitter<UtilityProcess>(calls), calls };
  });
  const [engineMade, lentMade] = made;
  const fork = vi.fn<typeof utilityProcess.fork>();
  for (const { target } of made) fork.mockReturnValueOnce(target);
  const engine = utilityProcessLauncher(fork, { lendsFork: true })('/out/main/inference-engine.js');
  expect(fork.mock.lastCall?.[2]?.env).toMatchObject({ PUNA_LENT_FORK: '1' });

  const heard: unknown[] = [];
  engine.onMessage((message) => heard.push(message));
  engineMade?.target.emit('message', { type: 'fork', id: 7, file: '/test.js', env: { A: 'b' } });
  expect(fork.mock.lastCall).toMatchObject(['/test.js', [], { env: { A: 'b' } }]);
  engineMade?.target.emit('message', { type: 'fork-send', id: 7, message: 'start' });
  expect(lentMade?.calls.postMessage).toHaveBeenCalledExactlyOnceWith('start');
  lentMade?.target.emit('message', 'done');
  expect(engineMade?.calls.postMessage).toHaveBeenLastCalledWith({
    ...{ type: 'fork-message', id: 7, message: 'done' },
  });
  engineMade?.target.emit('message', { type: 'ready' });
  expect(heard).toEqual([{ type: 'ready' }]);

  // It goes when the engine goes.
  engineMade?.target.emit('exit', 1);
  expect(lentMade?.calls.kill).toHaveBeenCalledOnce();
});
