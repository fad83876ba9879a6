import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { temporaryFolder } from '../support/shell.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/datasets', name);

let folder: string;
let removeFolder: () => Promise<void>;
beforeAll(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.folder;
  removeFolder = temporary.remove;
});
afterAll(() => removeFolder());

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('puna dataset import', () => {
  test('writes what exports and texts say as JSONL, and what it left out', async () => {
    const note = join(folder, 'note.txt');
    await writeFile(note, 'Once upon a time.');
    const out = join(folder, 'out.jsonl');
    const words = [
      'dataset',
      'import',
      fixture('kakaotalk/pc-ko.txt'),
      fixture('slack'),
      note,
      '--me',
      'ali',
    ];
    // Nobody in the first chat is called so.
    const refused = await run([...words, '--out', out]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/Nobody in .*pc-ko\.txt is called "ali", but "김철수", "홍길동"\./);
    expect(existsSync(out)).toBe(false);

    const { status, stdout, stderr } = await run([
      'dataset',
      'import',
      fixture('kakaotalk/pc-ko.txt'),
      fixture('chatgpt/conversations.json'),
      note,
      '--out',
      out,
      '--json',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const events = lines(stdout);
    expect(events.at(-1)).toMatchObject({
      ...{ type: 'result', path: out, files: 3, conversations: 4, texts: 1, cleaned: null },
      skipped: [
        { reason: 'pictures, stickers and other media', count: 2, where: ['line 9', 'line 10'] },
        { reason: 'messages of the system', count: 1 },
        { reason: 'deleted messages', count: 1 },
        { reason: 'messages of tools', count: 2 },
        { reason: 'turns from a picture or file on', count: 1 },
        { reason: 'conversations that are not as they should be', count: 1 },
      ],
    });
    expect(events.slice(0, -1).every(({ type }) => type === 'progress')).toBe(true);
    const written = lines(await readFile(out, 'utf8'));
    expect(written[1]).toEqual({
      messages: [
        { role: 'user', content: '잘 자' },
        { role: 'assistant', content: '너도' },
      ],
    });
    expect(written.at(-1)).toEqual({ text: 'Once upon a time.' });

    // What it has written is read again as the same.
    const again = join(folder, 'again.jsonl');
    expect((await run(['dataset', 'import', out, '--out', again])).status).toBe(0);
    expect(await readFile(again, 'utf8')).toBe(await readFile(out, 'utf8'));
  });

  test('cleans, when asked to', async () => {
    const data = join(folder, 'twice.jsonl');
    const text = 'Write to anna@example.org about the house by the sea, before the summer comes.';
    await writeFile(data, `${JSON.stringify({ text })}\n${JSON.stringify({ text })}\n`);
    const out = join(folder, 'cleaned.jsonl');
    const { status, stdout } = await run(['dataset', 'import', data, '--out', out, '--clean', '--json']);
    expect(status).toBe(0);
    expect(lines(stdout).at(-1)).toMatchObject({ texts: 1, cleaned: { seen: 2, kept: 1 } });
    expect(await readFile(out, 'utf8')).not.toContain('anna@example.org');
  });

  test('keeps an even sample of too many examples, and says so', async () => {
    const data = join(folder, 'many.jsonl');
    // With what some readers take for a line's end.
    const texts = Array.from({ length: 300 }, (_, index) => ({ text: `Number \u2028 ${index}` }));
    await writeFile(data, texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
    const out = join(folder, 'sample.jsonl');
    const words = ['dataset', 'import', data, '--out', out, '--most', '100'];
    const { status, stdout } = await run(words);
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^0 conversations and 100 texts of 1 file\.\n.* even sample: there were 300 examples/,
      ) as string,
    });
    const kept = lines(await readFile(out, 'utf8')).map(({ text }) => Number(String(text).slice(9)));
    expect(new Set(kept).size).toBe(100);
    expect(kept).toEqual(kept.toSorted((one, other) => one - other));
    // Of each half about as many.
    const early = kept.filter((index) => index < 150).length;
    expect(early).toBeGreaterThan(30);
    expect(early).toBeLessThan(70);

    const all = await run([...words.slice(0, -1), '300', '--json']);
    expect(lines(all.stdout).at(-1)).toMatchObject({ texts: 300, sampledFrom: null });
  });

  test('leaves out what is broken, and tells where', async () => {
    const data = join(folder, 'broken.jsonl');
    await writeFile(data, '{"text":"a"}\n{"text":\n{"text":"b"}\n{"q":1}\n');
    const { status, stdout } = await run(['dataset', 'import', data, '--out', join(folder, 'b.jsonl')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /2 texts of 1 file\.\n1 left out: broken JSON \(line 2\)\n1 left out: .* \(line 4\)/,
    );
  });

  test('takes the columns of a table as they are named', async () => {
    const table = join(folder, 'table.csv');
    await writeFile(table, 'Frage,Antwort\nWie geht es?,Gut\nUnd dir?,Auch gut\n');
    const out = join(folder, 'table.jsonl');
    const words = [
      'dataset',
      'import',
      table,
      '--out',
      out,
      '--column',
      'prompt=Frage',
      '--column',
      'reply=Antwort',
    ];
    expect(await run(words)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('2 conversations') as string,
    });
    expect(await run([...words, '--column', 'colour=red'])).toMatchObject({ status: 2 });
  });
});
