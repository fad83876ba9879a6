import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDataset } from '../../src/main/dataset-engine/dataset-file.ts';
import { DatasetWriter } from '../../src/main/dataset-engine/dataset-writer.ts';
import type { Snapshot } from '../../src/main/dataset-engine/messages.ts';
import { writeSnapshot } from '../../src/main/dataset-engine/snapshot.ts';
import { type Example, readExamples } from '../../src/main/datasets/index.ts';
import { rows, talk, text, writeDataset } from '../support/datasets.ts';

let root: string;
let folder: string;
let path: string;
let out: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'puna-snapshot-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'one-'));
  path = join(folder, 'data.puna');
  out = join(folder, 'snapshots');
});

const never = new AbortController().signal;
const snapshot = () => useDataset(path, (file) => writeSnapshot(file, out, never));

async function examplesIn(file: string | null): Promise<Example[]> {
  const examples: Example[] = [];
  if (file !== null) for await (const example of readExamples(file)) examples.push(example);
  return examples;
}

async function bytesOf(file: string | null): Promise<Buffer> {
  return file === null ? Buffer.alloc(0) : readFile(file);
}

describe('A snapshot', () => {
  test('has what is learnt from and what is measured on, as training reads it, under the name of its content', async () => {
    const document = ' # The wind\r\n\r\n"Still"\t\\ 바람 🙂\u2028\n';
    const unlearnt = talk('Where?', 'Here.', 'And now?', 'There.');
    if (unlearnt.kind === 'conversation' && unlearnt.turns[1]) unlearnt.turns[1].learnt = false;
    await writeDataset(path, [text(document), unlearnt, text('out'), talk('a', 'b')]);
    await useDataset(path, (file) => {
      file.change({ ids: [3] }, { excluded: true });
      file.change({ ids: [4] }, { validation: true });
    });
    const { data, validationData, fingerprint, ...counts } = await snapshot();
    expect(counts).toEqual({ examples: 2, validationExamples: 1 });
    expect(await examplesIn(data)).toEqual([
      { kind: 'text', text: document },
      {
        ...{ kind: 'conversation', system: '' },
        turns: [
          { role: 'user', text: 'Where?' },
          { role: 'assistant', text: 'Here.', learnt: false },
          { role: 'user', text: 'And now?' },
          { role: 'assistant', text: 'There.' },
        ],
      },
    ]);
    expect(await examplesIn(validationData)).toMatchObject([{ turns: [{ text: 'a' }, { text: 'b' }] }]);
    const hash = createHash('sha256')
      .update(await bytesOf(data))
      .update('\0')
      .update(await bytesOf(validationData));
    expect(fingerprint).toBe(hash.digest('hex'));
    const name = fingerprint.slice(0, 16);
    expect((await readdir(out)).sort()).toEqual([`${name}.jsonl`, `${name}.validation.jsonl`]);
  });

  test('has no file for a side without examples', async () => {
    await writeDataset(path, [text('one')]);
    expect(await snapshot()).toMatchObject({ validationData: null, validationExamples: 0 });
    const learnt = await snapshot();
    await useDataset(path, (file) => file.change({ ids: [1] }, { validation: true }));
    const measured = await snapshot();
    expect(measured).toMatchObject({ data: null, examples: 0, validationExamples: 1 });
    // The same bytes on the other side are something else.
    expect(measured.fingerprint).not.toBe(learnt.fingerprint);
  });

  test('has another fingerprint after an edit, an exclusion and a split, the old one when that is undone, and not for what is measured', async () => {
    await writeDataset(
      path,
      Array.from({ length: 30 }, (_, index) => text(`text ${index}`)),
    );
    const { fingerprint: first } = await snapshot();
    const seen = new Set([first]);
    const changed = async (change: Parameters<typeof useDataset<unknown>>[1]): Promise<Snapshot> => {
      await useDataset(path, change);
      const taken = await snapshot();
      expect(seen.has(taken.fingerprint)).toBe(false);
      seen.add(taken.fingerprint);
      return taken;
    };
    await changed((file) => file.change({ ids: [5] }, { excluded: true }));
    await changed((file) => file.split(0.2, 1));
    await changed((file) => file.split(0.2, 2));
    await changed((file) => file.edit(7, text('other')));
    await changed((file) => file.add([{ content: text('more'), source: '' }]));
    await useDataset(path, (file) => {
      file.change({ ids: [5] }, { excluded: false });
      file.change({ ids: [31] }, { excluded: true });
      file.split(0, 1);
      file.edit(7, text('text 6'));
    });
    expect((await snapshot()).fingerprint).toBe(first);
    await useDataset(path, (file) => {
      file.lengths.begin('a tokenizer');
      const missing = file.lengths.missing(0);
      file.lengths.keep(
        'a tokenizer',
        missing.map((example) => ({ ...example, tokens: 3, learnt: 2 })),
      );
    });
    expect((await rows(path))[0]?.tokens).toBe(3);
    expect((await snapshot()).fingerprint).toBe(first);
  });

  test('that is there is not written again, unless it is damaged', async () => {
    await writeDataset(path, [text('one')]);
    const { data } = await snapshot();
    const file = data ?? '';
    const { ino } = await stat(file);
    await snapshot();
    expect((await stat(file)).ino).toBe(ino);
    await writeFile(file, '{"te');
    await snapshot();
    expect(await examplesIn(file)).toEqual([{ kind: 'text', text: 'one' }]);
  });

  test('is of one moment, even when the dataset is changed while it is written', async () => {
    const contents = Array.from({ length: 1000 }, (_, index) => text(`text ${index}`));
    await writeDataset(path, contents);
    const taken = await useDataset(path, async (file) => {
      const coming = writeSnapshot(file, out, never);
      // As jobs come, between two batches.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      await useDataset(path, (other) => other.edit(1, text('first')));
      return coming;
    });
    const texts = (await examplesIn(taken.data)).map((example) => example.kind === 'text' && example.text);
    expect(texts).toEqual(['first', ...contents.slice(1).map((each) => each.kind === 'text' && each.text)]);
    expect(
      createHash('sha256')
        .update(await bytesOf(taken.data))
        .update('\0')
        .digest('hex'),
    ).toBe(taken.fingerprint);
  });

  test('below what is no folder is refused in a sentence', async () => {
    await writeDataset(path, [text('one')]);
    await writeFile(out, 'a file');
    const below = useDataset(path, (file) => writeSnapshot(file, join(out, 'snapshots'), never));
    await expect(below).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(out) },
    });
  });

  test('that is cancelled leaves nothing', async () => {
    await writeDataset(
      path,
      Array.from({ length: 1000 }, (_, index) => text(`text ${index}`)),
    );
    const controller = new AbortController();
    const coming = useDataset(path, (file) => writeSnapshot(file, out, controller.signal));
    setImmediate(() => controller.abort());
    await expect(coming).rejects.toThrow(/aborted/);
    expect(await readdir(out)).toEqual([]);
  });
});

test('A writer that is killed leaves the dataset as it was, and what it began goes with the next one', async () => {
  await writeDataset(path, [text('before')]);
  const module = pathToFileURL(resolve('src/main/dataset-engine/dataset-writer.ts')).href;
  const script = `
    import { DatasetWriter } from ${JSON.stringify(module)};
    const writer = await DatasetWriter.create(${JSON.stringify(path)}, { validation: 0, seed: 1 });
    for (let item = 0; ; item++) {
      writer.append({ content: { kind: 'text', text: 'text '.repeat(50) + item }, source: '' });
      if (item === 5000) console.log('begun');
      if (item > 5000) await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toHaveLength(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await rows(path)).map(({ answer }) => answer)).toEqual(['before']);

  await using writer = await DatasetWriter.create(path, { validation: 0, seed: 1 });
  writer.append({ content: text('after'), source: '' });
  await writer.finish();
  expect(await readdir(folder)).toEqual(['data.puna']);
  expect((await rows(path)).map(({ answer }) => answer)).toEqual(['after']);
});

test('A change that is killed in its middle has happened whole or not at all', async () => {
  await writeDataset(
    path,
    Array.from({ length: 2000 }, (_, index) => text(`text ${index}`)),
  );
  const module = pathToFileURL(resolve('src/main/dataset-engine/dataset-file.ts')).href;
  const script = `
    import { useDataset } from ${JSON.stringify(module)};
    console.log('begun');
    await useDataset(${JSON.stringify(path)}, (file) => {
      for (let excluded = true; ; excluded = !excluded) {
        file.change({ filter: { query: '', show: 'all' } }, { excluded });
      }
    });`;
  for (const wait of [30, 60, 90]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface({ input: child.stdout }), 'line');
    await new Promise((done) => setTimeout(done, wait));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { excluded } = await useDataset(path, (file) => file.counts());
    expect([0, 2000]).toContain(excluded);
  }
});
