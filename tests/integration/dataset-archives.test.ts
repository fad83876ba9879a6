import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runImport } from '../../src/main/dataset-engine/import.ts';
import type { Dataset } from '../../src/shared/contract/index.ts';
import { run } from '../support/command.ts';
import { startShell, temporaryFolder } from '../support/shell.ts';
import { zipped, type ZippedFile } from '../support/zip.ts';

const fixture = (name: string) => readFile(join(import.meta.dirname, '../fixtures/datasets', name));
const text = (name: string, words: string): ZippedFile => ({ name, bytes: Buffer.from(words) });

let folder: string;
let removeFolder: () => Promise<void>;
/** Where archives are unpacked, by this process and by those that it starts. */
let temporary: string;
let notes: string;
const usual = process.env.TMPDIR;
beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  temporary = join(folder, 'temporary');
  await mkdir(temporary);
  process.env.TMPDIR = temporary;
  notes = join(folder, '메모.zip');
  await writeFile(
    notes,
    zipped([
      text('여행/부산.md', '# 부산\n'),
      { name: '대화.txt', bytes: await fixture('kakaotalk/pc-ko.txt') },
      text('sub/lines.jsonl', '{"text":"one"}\n{oops\n{"text":"two"}\n'),
      text('sub/settings.json', '[{"q":1}]'),
      { ...text('secret.md', 'secret'), encrypted: true },
      { name: 'picture.png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0]) },
    ]),
  );
});
afterAll(async () => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  await removeFolder();
});

const unpacked = async () => (await readdir(temporary)).filter((name) => name.startsWith('puna-zip-'));

describe('a ZIP archive of notes', () => {
  test('is imported by the command, which tells by their names in it what was left out', async () => {
    const out = join(folder, 'out.jsonl');
    const { status, stdout, stderr } = await run(['dataset', 'import', notes, '--out', out, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { skipped: unknown[] };
    expect(result).toMatchObject({ type: 'result', files: 4, passedOver: 1, conversations: 2, texts: 3 });
    expect(result.skipped).toEqual(
      expect.arrayContaining([
        {
          ...{ reason: 'files of ZIP archives that are damaged or encrypted', count: 1 },
          where: ['메모.zip/secret.md'],
        },
        expect.objectContaining({ where: ['메모.zip/sub/lines.jsonl, line 2'] }),
        expect.objectContaining({ where: ['메모.zip/대화.txt, line 9', '메모.zip/대화.txt, line 10'] }),
        {
          ...{ reason: expect.stringMatching(/^메모\.zip\/sub\/settings\.json, .*no known kind/) as string },
          count: 1,
        },
      ]),
    );
    expect(stdout).not.toContain(temporary);
    const written = (await readFile(out, 'utf8')).trim().split('\n');
    expect(written.slice(0, 2)).toEqual(['{"text":"one"}', '{"text":"two"}']);
    expect(written.at(-1)).toBe(JSON.stringify({ text: '# 부산\n' }));
    expect(await unpacked()).toEqual([]);
  });

  test('of which nothing can be read fails, with the name that a person knows', async () => {
    const useless = join(folder, 'useless.zip');
    await writeFile(useless, zipped([text('sub/settings.json', '[{"q":1}]')]));
    const { status, stderr } = await run(['dataset', 'import', useless, '--out', join(folder, 'none.jsonl')]);
    expect(status).toBe(1);
    expect(stderr).toContain(`${useless}/sub/settings.json`);
    expect(stderr).not.toContain(temporary);
    expect(await unpacked()).toEqual([]);
  });

  test('is looked into and imported by the app as a folder is', async () => {
    const shell = await startShell({ dataFolder: join(folder, 'data') });
    try {
      const { datasets } = shell.client;
      const found = await datasets.inspect({ path: notes, dates: null });
      expect(found).toMatchObject({
        ...{ path: notes, name: '메모.zip', kind: 'folder', files: 4, failure: null, me: '홍길동' },
        bytes: (await readFile(notes)).length,
      });
      expect(found.people?.map(({ name }) => name)).toEqual(['김철수', '홍길동']);
      const table = join(folder, 'table.zip');
      await writeFile(table, zipped([{ name: '표.csv', bytes: await fixture('documents/korean.csv') }]));
      expect(await datasets.inspect({ path: table, dates: null })).toMatchObject({
        ...{ kind: 'csv', files: 1 },
        columns: { names: ['질문', '답변'], mapping: { prompt: '질문', reply: '답변' } },
      });
      const chat = join(folder, 'chatgpt.zip');
      await writeFile(
        chat,
        zipped([{ name: 'conversations.json', bytes: await fixture('chatgpt/conversations.json') }]),
      );
      expect(await datasets.inspect({ path: chat, dates: null })).toMatchObject({
        kind: 'chatgpt',
        files: 1,
      });
      expect(await unpacked()).toEqual([]);

      const source = { ...{ from: 'file' as const, path: notes, me: null, columns: null, dates: null } };
      const order = {
        ...{ kind: 'import' as const, name: '', sources: [source], validation: 0, clean: null },
      };
      const { id } = await datasets.import(order);
      let dataset: Dataset | undefined;
      while (dataset?.state !== 'ready') {
        dataset = (await datasets.list()).find((each) => each.id === id);
        if (dataset?.state === 'failed') throw new Error(dataset.error?.message);
        await setTimeout(20);
      }
      const { examples } = await datasets.page({ datasetId: id, limit: 500 });
      expect(examples.map(({ source: from }) => from)).toEqual([
        ...['메모.zip/sub/lines.jsonl, line 1', '메모.zip/sub/lines.jsonl, line 3'],
        ...['메모.zip/대화.txt, line 5', '메모.zip/대화.txt, line 15', '메모.zip/여행/부산.md'],
      ]);
      expect(dataset.leftOut).toEqual(
        expect.arrayContaining([
          { reason: 'files of kinds that cannot be read', count: 1 },
          {
            ...{ reason: 'files of ZIP archives that are damaged or encrypted', count: 1 },
            where: ['메모.zip/secret.md'],
          },
          expect.objectContaining({ where: ['메모.zip/sub/lines.jsonl, line 2'] }),
        ]),
      );
      expect(JSON.stringify(dataset)).not.toContain(temporary);
      expect(await unpacked()).toEqual([]);
    } finally {
      await shell.stop();
    }
  });

  test('leaves nothing behind when an import of it is stopped', async () => {
    const controller = new AbortController();
    const out = join(folder, 'stopped.dataset');
    const source = { ...{ path: notes, label: '메모.zip', me: null, columns: null, dates: null } };
    let seen: string[] = [];
    const emit = () => {
      seen = readdirSync(temporary).filter((name) => name.startsWith('puna-zip-'));
      controller.abort();
    };
    const importing = runImport(
      { sources: [source], clean: null, validation: 0, seed: 1, out },
      { signal: controller.signal, emit },
    );
    await expect(importing).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toHaveLength(1);
    expect(await unpacked()).toEqual([]);
    expect(await readdir(folder)).not.toContain('stopped.dataset');
  });
});
