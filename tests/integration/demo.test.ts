import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Comparison } from '../../src/main/commands/demo/walk.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { temporaryFolder } from '../support/shell.ts';
import { asked, buildResources } from '../support/starter.ts';
import { tensorHashes } from '../support/weights.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let resources: string;
const at = (...names: string[]) => join(temporary.folder, ...names);

beforeAll(async () => {
  temporary = await temporaryFolder();
  resources = await buildResources(temporary.folder);
  await mkdir(at('tmp'));
});
afterAll(() => temporary.remove());

/** As much as the walk takes on a slow machine that has other things to do. */
const patience = 600_000;

/** `puna demo` with a folder for temporary files of its own, in which nothing may be left. */
function begin(words: string[], from: string | null = resources) {
  const child = spawn(
    process.execPath,
    ['src/main/cli.ts', 'demo', '--threads', '1', ...(from === null ? [] : ['--resources', from]), ...words],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: at('tmp'), LC_ALL: 'C.UTF-8' } },
  );
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (said.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said.stderr += data.toString()));
  const end = once(child, 'close').then(([status]) => ({ status: status as number | null, ...said }));
  return { child, end };
}

const left = () => readdir(at('tmp'));

type Line = { type: string } & Record<string, unknown>;
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('puna demo', () => {
  it('chats, teaches, compares, applies the delta and names a model, and leaves nothing', async () => {
    const { status, stdout, stderr } = await begin(['--json']).end;
    expect(status, stderr).toBe(0);
    const told = lines(stdout);
    const of = (type: string) => told.filter((line) => line.type === type);
    expect(of('station').map(({ station }) => station)).toEqual([
      ...['chat', 'teach', 'compare', 'delta', 'model'],
    ]);
    expect(of('answer')).toMatchObject(
      asked.chat.map(({ question, answer }) => ({ question, text: answer })),
    );
    const losses = of('step').map(({ loss }) => Number(loss));
    const result = told.at(-1) ?? { type: 'none' };
    expect(result).toMatchObject({
      type: 'result',
      firstLoss: losses[0],
      lastLoss: losses.at(-1),
      out: null,
    });
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 4);
    expect(result['answers']).toEqual(
      asked.taught.map(({ question, answer }) => ({
        ...{ question, expected: answer, after: answer },
        before: expect.not.stringContaining(answer) as string,
      })),
    );
    expect(result['proof']).toMatchObject({ kind: 'hashes' });
    expect(result['delta']).toMatchObject([{ question: 'Hello!' }]);
    expect(result['model']).toMatchObject({
      repository: expect.stringMatching(/^[\w.-]+\/[\w.-]+$/) as string,
    });
    expect(await left()).toEqual([]);
  });

  it('tells the same in words, in Korean where that is wanted, and keeps what it made where it is told to', async () => {
    const { status, stdout, stderr } = await begin(['--language', 'ko', '--out', at('kept')]).end;
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('2. 가르치기');
    expect(stdout).toContain(`나: ${asked.chat[0]?.question}\nPuna Starter: ${asked.chat[0]?.answer}`);
    expect(stdout).toMatch(/손실이 \d\.\d\d에서 \d\.\d\d까지 줄었어요/);
    expect(stdout).toContain('3개 가운데 3개');
    expect(stdout).toMatch(/All \d+ tensors of base and result have the hashes/);
    expect(stdout).toMatch(/puna models pull \S+\/\S+:Q\w+\n/);
    expect(await left()).toEqual([]);
    expect(await tensorHashes(at('kept', 'base-and-delta.gguf'))).toEqual(
      await tensorHashes(at('target.gguf')),
    );
    expect(await readModelFile(at('kept', 'chats-adapter.gguf'))).toMatchObject({ kind: 'adapter' });
  });

  it('stops at Ctrl-C in the middle of teaching, and leaves nothing', async () => {
    const { child, end } = begin(['--json']);
    for await (const line of createInterface({ input: child.stdout })) {
      if ((JSON.parse(line) as Line).type === 'step') break;
    }
    child.kill('SIGINT');
    const { status, stderr } = await end;
    expect(status).toBe(1);
    expect(stderr).toContain('puna: It was stopped before it was done.');
    expect(await left()).toEqual([]);
  });

  it('says what is missing where the samples are not there', async () => {
    await rm(join(resources, 'starter', 'chats.jsonl'));
    const { status, stderr } = await begin([]).end;
    expect(status).toBe(1);
    expect(stderr).toMatch(/puna: There is no file or folder \S+chats.jsonl\./);
    expect(await left()).toEqual([]);
  });
});

describe.each(['en', 'ko'])('puna demo with what comes with Puna: %s', (language) => {
  it(
    'shows that the loss falls, the answers change to what was taught, and the delta is proved',
    { timeout: patience },
    async () => {
      const { status, stdout, stderr } = await begin(['--json', '--language', language], null).end;
      expect(status, stderr).toBe(0);
      const told = lines(stdout);
      const losses = told.filter(({ type }) => type === 'step').map(({ loss }) => Number(loss));
      const last = losses.slice(-10);
      expect(Math.max(...last)).toBeLessThan((losses[0] ?? 0) / 4);

      const result = told.at(-1) ?? { type: 'none' };
      const answers = result['answers'] as Comparison[];
      expect(answers).toHaveLength(4);
      for (const { before, after, expected } of answers) {
        expect(before).not.toBe(expected);
        expect(after).not.toBe(before);
      }
      expect(answers.filter(({ after, expected }) => after === expected)).not.toEqual([]);
      expect(result['proof']).toMatchObject({ kind: 'hashes' });
      const spoken = result['delta'] as Comparison[];
      expect(spoken).not.toEqual([]);
      for (const { before, after } of spoken) expect(after).not.toBe(before);
    },
  );
});
