import type { utilityProcess } from 'electron';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lendFork } from '../../src/main/electron/lend-fork.ts';
import { nodeAsUtilityProcess } from '../support/utility-process.ts';

const engineFile = fileURLToPath(new URL('../support/lent-fork-engine.ts', import.meta.url));

/** Has an engine load llama.cpp where main lends it processes; gives what it says of that, and what was forked. */
async function loadWith(
  lent: typeof utilityProcess.fork,
): Promise<{ loaded: unknown; exited: number; others: unknown[] }> {
  const engine = nodeAsUtilityProcess().fork(engineFile);
  const isForkRequest = lendFork(engine, lent);
  const others: unknown[] = [];
  let loaded: unknown;
  engine.on('message', (message: { loaded?: unknown }) => {
    if (isForkRequest(message)) return;
    if ('loaded' in message) loaded = message.loaded;
    else others.push(message);
  });
  const exited = await new Promise<number>((resolve) => engine.on('exit', resolve));
  return { loaded, exited, others };
}

test('node-llama-cpp tries a library in a process that main lends, and loads it', async () => {
  const { fork, forked } = nodeAsUtilityProcess();
  expect(await loadWith(fork)).toEqual({ loaded: false, exited: 0, others: [] });
  expect(forked.map((file) => basename(file))).toEqual(['testBindingBinary.js']);
});

test('A library that kills its process is not loaded', async () => {
  const { fork, forked } = nodeAsUtilityProcess();
  const broken: typeof fork = (file, words, options) => {
    const child = fork(file, words, options);
    child.on('message', ({ type }: { type: string }) => type === 'loaded' && child.kill());
    return child;
  };
  const { loaded } = await loadWith(broken);
  expect(String(loaded)).toMatch(/no llama\.cpp that works|NoBinaryFound/);
  expect(forked).toHaveLength(1);
});
