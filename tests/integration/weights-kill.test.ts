import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { buildTinyModel } from '../support/models.ts';
import { seededRandom } from '../support/tiny-random.ts';
import { runHere, tensorHashes } from '../support/weights.ts';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-kill-'));
  const shape = { embedding: 1024, layers: 6, heads: 16, kvHeads: 8, feedForward: 4096, context: 64 };
  await buildTinyModel(path('base.gguf'), { seed: 1, shape });
  await buildTinyModel(path('target.gguf'), { seed: 2, shape });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const words = (out = 'killed.gguf') => {
  const files = ['--base', path('base.gguf'), '--target', path('target.gguf')];
  return ['delta', 'make', ...files, '--out', path(out), '--json'];
};

test('Killed at any moment, an operation leaves nothing under the final name, and run again it ends as if undisturbed', async () => {
  await runHere({
    ...{ kind: 'delta-make', base: path('base.gguf'), target: path('target.gguf') },
    ...{ out: path('undisturbed.gguf'), compress: false },
  });
  const random = seededRandom(7);
  let kills = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    const child = spawn(process.execPath, ['src/main/cli.ts', ...words()], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // From the first progress on, so that it is writing.
    await once(child.stdout, 'data');
    await wait(random.unit() * 800);
    child.kill('SIGKILL');
    await once(child, 'close');
    const names = await readdir(folder);
    if (names.includes('killed.gguf')) break;
    kills++;
    expect(names.some((name) => name.startsWith('.killed.gguf'))).toBe(true);
  }
  expect(kills).toBeGreaterThan(0);
  if (!(await readdir(folder)).includes('killed.gguf')) {
    // The engine of the killed one notices within a second or two.
    await wait(3000);
    expect((await run(words())).status).toBe(0);
  }
  expect(await tensorHashes(path('killed.gguf'))).toEqual(await tensorHashes(path('undisturbed.gguf')));
  expect((await stat(path('killed.gguf'))).size).toBe((await stat(path('undisturbed.gguf'))).size);
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('Stopped by Ctrl-C, it says so, and how to go on', async () => {
  const child = spawn(process.execPath, ['src/main/cli.ts', ...words('stopped.gguf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (text) => (complaint += String(text)));
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  child.stdout.resume();
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(complaint.trim()).toBe(
    'puna: It was stopped before it was done. Run the same command again, and it goes on from there.',
  );
  expect(await readdir(folder)).not.toContain('stopped.gguf');
});
