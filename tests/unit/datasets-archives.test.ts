import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { importFiles } from '../../src/main/datasets/import/folder.ts';
import { type Example, readExamples } from '../../src/main/datasets/index.ts';
import { PunaError } from '../../src/shared/error.ts';
import { zipped, type ZippedFile } from '../support/zip.ts';

const fixture = (name: string) => readFile(join(import.meta.dirname, '../fixtures/datasets', name));

let folder = '';
/** Where archives are unpacked. */
let temporary = '';
const usual = process.env.TMPDIR;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-archives-'));
  temporary = join(folder, 'temporary');
  process.env.TMPDIR = temporary;
});
beforeEach(() => mkdir(temporary, { recursive: true }));
afterAll(async () => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  await rm(folder, { recursive: true });
});

async function archive(files: readonly ZippedFile[], name = 'notes.zip'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, zipped(files));
  return path;
}

const text = (name: string, words: string): ZippedFile => ({ name, bytes: Buffer.from(words) });

/** What is read of a folder or an archive, with the path of each file in it; of a file that cannot be read, the error. */
async function read(path: string): Promise<{ name: string; examples: Example[] | string }[]> {
  await using found = await importFiles([path]);
  const all: { name: string; examples: Example[] | string }[] = [];
  for (const file of found.files) {
    let examples: Example[] | string = [];
    try {
      for await (const example of readExamples(file)) examples.push(example);
    } catch (thrown) {
      const error = found.named(thrown, file);
      examples = error instanceof PunaError ? error.message.replaceAll(path, '') : String(thrown);
    }
    all.push({ name: relative(path, found.fullName(file)), examples });
  }
  return all;
}

const namesIn = async (path: string) => (await read(path)).map(({ name }) => name);
const refusal = async (path: string) =>
  importFiles([path]).then(
    () => 'nothing',
    (thrown: unknown) => PunaError.from(thrown).message,
  );

const notes = async (): Promise<ZippedFile[]> => [
  text('메모/여행.md', '# 부산\n\n바다를 보았다.\n'),
  text('메모/a b.txt', 'A note.'),
  text('메모.txt', '첫 메모'),
  text('메모-2/나.md', '둘째'),
  text('Z.py', 'print(1)\n'),
  text('가/broken.jsonl', '{"text":"한 줄"}\n{oops\n{"text":"또 한 줄"}\n'),
  text('가/unknown.json', '[{"q":1}]'),
  ...(await Promise.all(
    [
      ['가/표.csv', 'documents/korean.csv'],
      ['가/정원.docx', 'documents/garden.docx'],
      ['가/등대.pdf', 'documents/lighthouse.pdf'],
      ['가/쪽.html', 'documents/page.html'],
      ['가/편지.eml', 'documents/one.eml'],
      ['가/편지함.mbox', 'documents/mail.mbox'],
      ['가/질문.parquet', 'documents/questions-zstd.parquet'],
      ['가/대화.txt', 'kakaotalk/pc-ko.txt'],
      ['가/gpt/conversations.json', 'chatgpt/conversations.json'],
    ].map(async ([name = '', from = '']) => ({ name, bytes: await fixture(from) })),
  )),
];

/** What nobody would read, whether in a folder or in an archive. */
const others = [
  text('.hidden.md', 'hidden'),
  text('__MACOSX/._Z.py', 'print(2)'),
  text('node_modules/x/index.js', 'x'),
  { name: 'picture.png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0]) },
];

describe('a ZIP archive of files that each stand for themselves', () => {
  it('is read as the folder that it was made of, and leaves nothing behind', async () => {
    const files = [...(await notes()), ...others];
    const root = join(folder, 'notes');
    for (const { name, bytes } of files) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), bytes);
    }
    const path = await archive(files);
    const ofFolder = await read(root);
    expect(ofFolder.flatMap(({ examples }) => (typeof examples === 'string' ? [] : examples))).toHaveLength(
      24,
    );
    expect(ofFolder.filter(({ examples }) => typeof examples === 'string').map(({ name }) => name)).toEqual([
      '가/unknown.json',
    ]);
    expect(await read(path)).toEqual(ofFolder);
    await using found = await importFiles([path, path]);
    expect(found).toMatchObject({ passedOver: 1, damaged: [] });
    expect(found.files).toHaveLength(16);
    await found[Symbol.asyncDispose]();
    expect(await readdir(temporary)).toEqual([]);
  });

  it('is unpacked where only its owner can look', async () => {
    const path = await archive([text('a.md', 'a')]);
    await using found = await importFiles([path]);
    const [file = ''] = found.files;
    expect(found.fullName(file)).toBe(`${path}/a.md`);
    expect(found.nameInArchive(file)).toBe('notes.zip/a.md');
    const [inside = ''] = await readdir(temporary);
    expect((await stat(join(temporary, inside))).mode & 0o777).toBe(0o700);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('has names that only differ in case, or that no file can have', async () => {
    const long = `${'긴'.repeat(300)}.md`;
    const path = await archive(
      ['A.md', 'a.md', 'con.txt', 'why: y?.md', long].map((name) => text(name, name)),
    );
    const found = await read(path);
    expect(found.map(({ name }) => name)).toEqual(['A.md', 'a.md', 'con.txt', 'why: y?.md', long]);
    for (const { name, examples } of found) expect(examples).toEqual([{ kind: 'text', text: name }]);
  });

  it('has names in CP949, as Windows packs them in Korean', async () => {
    // By Python: '여행/부산 일기.txt'.encode('cp949'), '메모.md'.encode('cp949').
    const diary = [191, 169, 199, 224, 47, 186, 206, 187, 234, 32, 192, 207, 177, 226, 46, 116, 120, 116];
    const memo = [184, 222, 184, 240, 46, 109, 100];
    const path = await archive([
      { ...text('', 'a'), rawName: Buffer.from(diary) },
      { ...text('', 'b'), rawName: Buffer.from(memo) },
      { ...text('', 'c'), rawName: Buffer.from('plain.md') },
      { ...text('', 'd'), rawName: Buffer.from('이미 UTF-8.md') },
    ]);
    expect(await namesIn(path)).toEqual(['plain.md', '메모.md', '여행/부산 일기.txt', '이미 UTF-8.md']);
  });

  it('may begin with a PDF that is not packed', async () => {
    const pdf: ZippedFile = { name: 'a.pdf', bytes: await fixture('documents/lighthouse.pdf'), stored: true };
    expect(await namesIn(await archive([pdf, text('b.md', 'b')]))).toEqual(['a.pdf', 'b.md']);
  });

  it('has archives that are not opened, whatever they are called, and links that are not followed', async () => {
    const bytes = zipped([
      { name: 'conversations.json', bytes: await fixture('chatgpt/conversations.json') },
    ]);
    const nested = ['inner.zip', 'inner.txt', 'inner.docx'].map((name) => ({ name, bytes }));
    const link = { ...text('link.md', '/etc/passwd'), mode: 0o120777 };
    const path = await archive([...nested, link, text('a.md', 'a')]);
    await using found = await importFiles([path]);
    expect(found.files.map((file) => found.nameInArchive(file))).toEqual(['notes.zip/a.md']);
    expect(found).toMatchObject({ passedOver: 3, damaged: [] });
  });

  it('goes on behind files that are damaged or encrypted, and tells them', async () => {
    const words = 'Words that are not there any more. ';
    const whole = zipped([
      text('a.md', 'a'),
      { ...text('b/stored.md', words), stored: true },
      { ...text('c/secret.txt', 'secret'), encrypted: true },
      { ...text('d/lie.md', 'longer than it says'), claimed: 3 },
      text('z.md', 'z'),
    ]);
    whole[whole.indexOf(words)] = 'X'.charCodeAt(0);
    const path = join(folder, 'damaged.zip');
    await writeFile(path, whole);
    await using found = await importFiles([path]);
    expect(found.files.map((file) => found.nameInArchive(file))).toEqual([
      'damaged.zip/a.md',
      'damaged.zip/z.md',
    ]);
    expect(found.damaged.map(({ nameInArchive }) => nameInArchive).toSorted()).toEqual([
      'damaged.zip/b/stored.md',
      'damaged.zip/c/secret.txt',
      'damaged.zip/d/lie.md',
    ]);
    expect(found.passedOver).toBe(0);
  });

  it('with nothing to read is refused, and says why', async () => {
    const picture = { name: 'a.png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0]) };
    expect(await refusal(await archive([picture]))).toMatch(/notes\.zip has no file that Puna can read\.$/);
    expect(await refusal(await archive([]))).toMatch(/notes\.zip has no file that Puna can read\.$/);
    const secret = { ...text('a.md', 'secret'), encrypted: true } as const;
    expect(await refusal(await archive([picture, secret]))).toMatch(/has the file "a\.md" encrypted\.$/);
    expect(await readdir(temporary)).toEqual([]);
  });

  it.each(['../a.md', 'b/../../a.md', '/etc/a.md', 'C:\\a.md'])(
    'with the path %s is refused',
    async (name) => {
      expect(await refusal(await archive([text('a.md', 'a'), text(name, 'b')]))).toMatch(
        /leads out of it\.$/,
      );
      expect(await readdir(temporary)).toEqual([]);
    },
  );

  it('that would unpack to far more than it is, or to too much, is refused before it is', async () => {
    const bomb = await archive([{ name: 'a.md', bytes: Buffer.alloc(80 * 2 ** 20, 0x20) }]);
    expect(await refusal(bomb)).toMatch(/would unpack from 0\.1 MB to 83\.9 MB/);
    const path = await archive([text('a.md', 'x'.repeat(600)), text('b.md', 'x'.repeat(600))]);
    await expect(importFiles([path], undefined, 1199)).rejects.toThrow(/would unpack to more than/);
    expect(await readdir(temporary)).toEqual([]);
    await using found = await importFiles([path], undefined, 1200);
    expect(found.files).toHaveLength(2);
  });

  it('that is stopped on the way leaves nothing behind', async () => {
    const files = Array.from({ length: 600 }, (_, index) => text(`${index}.md`, 'words'));
    const path = await archive(files);
    const controller = new AbortController();
    const finding = importFiles([path], controller.signal);
    const stopped = expect(finding).rejects.toMatchObject({ name: 'AbortError' });
    while ((await readdir(temporary)).length === 0) await setImmediate();
    controller.abort();
    await stopped;
    expect(await readdir(temporary)).toEqual([]);
  });
});

it('What a process that was killed has unpacked is removed a day later', async () => {
  // Process numbers end far below it.
  const [killed, young, running] = [
    `puna-zip-${2 ** 30}-a`,
    `puna-zip-${2 ** 30}-b`,
    `puna-zip-${process.pid}-c`,
  ];
  for (const name of [killed, young, running]) await mkdir(join(temporary, name));
  await writeFile(join(temporary, killed, 'a.md'), 'words');
  const before = new Date(Date.now() - 25 * 3_600_000);
  for (const name of [killed, running]) await utimes(join(temporary, name), before, before);
  await namesIn(await archive([text('a.md', 'a')]));
  expect((await readdir(temporary)).toSorted()).toEqual([young, running].toSorted());
  await rm(temporary, { recursive: true });
});

describe('a ZIP archive with an export in it', () => {
  const chatgpt = async (name = 'conversations.json') => ({
    name,
    bytes: await fixture('chatgpt/conversations.json'),
  });
  const stays = async (files: readonly ZippedFile[]) => {
    const path = await archive(files);
    await using found = await importFiles([path]);
    return found.files.length === 1 && found.files[0] === path;
  };

  it('is one with what belongs to it', async () => {
    const account = text('user.json', '{"id":"user-x"}');
    const page = text('chat.html', '<html><body>All chats</body></html>');
    const sent = text('file-AbCdEfGhIjKlMnOpQrStUv-thesis.pdf', '%PDF-1.4');
    expect(await stays([account, await chatgpt(), page, sent, ...others])).toBe(true);
    const chat = { name: '_chat.txt', bytes: await fixture('whatsapp/iphone-us.txt') };
    expect(await stays([chat, text('00000012-contract.md', 'words')])).toBe(true);
    const telegram = { name: 'result.json', bytes: await fixture('telegram/chat.json') };
    expect(await stays([telegram, text('files/words.md', 'words')])).toBe(true);
    const days = ['users.json', 'general/2024-01-02.json', 'general/2024-01-03.json'];
    const slack = await Promise.all(
      days.map(async (name) => ({ name, bytes: await fixture(`slack/${name}`) })),
    );
    expect(await stays([...slack, text('readme.md', 'words')])).toBe(true);
  });

  it('and other files is read with all of them', async () => {
    const alone: Example[] = [];
    const path = join(import.meta.dirname, '../fixtures/datasets/chatgpt/conversations.json');
    for await (const example of readExamples(path)) alone.push(example);
    const mixed = await archive([
      text('b/note.md', 'A note.'),
      await chatgpt('b/conversations.json'),
      text('a.txt', 'a'),
    ]);
    expect(await read(mixed)).toEqual([
      { name: 'a.txt', examples: [{ kind: 'text', text: 'a' }] },
      { name: 'b/conversations.json', examples: alone },
      { name: 'b/note.md', examples: [{ kind: 'text', text: 'A note.' }] },
    ]);
    const claude = { name: 'claude/conversations.json', bytes: await fixture('claude/conversations.json') };
    expect(await namesIn(await archive([await chatgpt('gpt.json'), claude]))).toEqual([
      'claude/conversations.json',
      'gpt.json',
    ]);
    expect(await stays([await chatgpt(), text('train.jsonl', '{"text":"a"}')])).toBe(false);
  });

  it('is not opened where it is a document of a program', async () => {
    const table = [text('[Content_Types].xml', '<Types/>'), text('xl/sheet.html', '<html>')];
    expect(await stays(table)).toBe(true);
  });
});
