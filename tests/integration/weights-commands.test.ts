import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { tensorHashes } from '../support/weights.ts';

const [base, target] = ['base', 'target'].map((name) => join('tests/fixtures/weights/delta', name));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-commands-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('Weights of models are numbers however they are written', async () => {
  const hashes: Record<string, string>[] = [];
  for (const [one, other] of [
    ['0.5', '0.25'],
    ['.5', '2.5e-1'],
  ]) {
    const out = join(folder, `merged ${one}`);
    const models = ['--model', `${base}:${one}`, '--model', `${target}:${other}`];
    const { stdout, status } = await run(['merge', '--method', 'linear', ...models, '--out', out]);
    expect(status).toBe(0);
    expect(stdout).toContain(`${out}: `);
    hashes.push(await tensorHashes(out));
  }
  expect(hashes[1]).toEqual(hashes[0]);
});

test('A recipe is not given settings that it would not take', async () => {
  const words = ['merge', '--recipe', 'merge.yml', '--density', '0.5', '--out', join(folder, 'none')];
  const { stderr, status } = await run(words);
  expect(status).toBe(2);
  expect(stderr).toContain('--recipe stands alone, without --density');
  expect(await readdir(folder)).not.toContain('none');
});
