import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importFiles } from '../../src/main/datasets/import/folder.ts';
import { documentFixture as fixture, importFile } from '../support/imports.ts';
import { zipped } from '../support/zip.ts';
import { makePdf } from './attachments-pdf-maker.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-documents-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function textOf(path: string): Promise<unknown> {
  return (await importFile(path)).drafts[0];
}

/** A Word document of its main part alone. */
function documentOf(bytes: Uint8Array, claimed?: number): Uint8Array {
  const name = 'word/document.xml';
  return zipped([claimed === undefined ? { name, bytes } : { name, bytes, claimed }]);
}

describe('Markdown', () => {
  it('is a text as it stands, without front matter', async () => {
    const text = '# A day\n\nIt began *early*.\n\n---\n\nAnd ended late.\n';
    const expected = { importer: 'markdown', drafts: [text], skipped: [] };
    expect(await importFile(fixture('front-matter.md'))).toEqual(expected);
    const marked = await fileOf('marked.md', `\ufeff+++\ntitle = "A day"\n+++\n${text}`);
    expect(await importFile(marked)).toEqual(expected);
  });

  it('keeps a rule that it begins with', async () => {
    const text = '---\n\nOnce upon a time.\n\n---\n\nThe end.\n';
    expect(await textOf(await fileOf('rule.md', text))).toBe(text);
  });

  it('in UTF-16 is read', async () => {
    const path = await fileOf('wide.md', Buffer.from('\ufeff# 안녕\r\n\r\nHi\r\n', 'utf16le'));
    expect(await textOf(path)).toBe('# 안녕\n\nHi\n');
  });
});

describe('code', () => {
  it('is a text with its tabs and line ends', async () => {
    expect(await importFile(fixture('hello.py'))).toEqual({
      importer: 'code',
      drafts: ['def hello():\n\treturn "안녕"\n'],
      skipped: [],
    });
  });

  it('is not what is binary, whatever its name', async () => {
    const path = await fileOf('video.ts', Buffer.from([0x47, 0x40, 0x00, 0x10, 0x00, 0x00, 0xb0, 0x0d]));
    await expect(importFile(path)).rejects.toThrow('Nothing recognises');
  });

  it('that becomes binary further on is refused', async () => {
    const bytes = Buffer.concat([
      Buffer.from('x = 1\n'.repeat(40_000)),
      Buffer.from([0xff, 0x00, 0x01, 0x02]),
    ]);
    const path = await fileOf('strange.py', bytes);
    await expect(importFile(path)).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('a page of the web', () => {
  it('is what a person reads of it', async () => {
    const text = [
      'Rain\n\nIt rains on the roof, see the roof.\n\n- Drops\n- Puddles\n\nMonth | Rain\nMay | 80\u00a0mm',
      'let drops = 3;\n  fall(drops);\n\n비가 온다.\n그친다.',
    ].join('\n\n');
    const { importer, drafts } = await importFile(fixture('page.html'));
    expect(importer).toBe('html');
    expect(String(drafts[0]).replaceAll('\u00a0', ' ')).toBe(text.replaceAll('\u00a0', ' '));
  });

  it('is known by its content, and its furniture left out where it has no main part', async () => {
    const path = await fileOf(
      'page',
      '<!-- saved --><HTML><body><nav>Home</nav><p>One</p><p>Two</p></body></HTML>',
    );
    expect(await importFile(path)).toMatchObject({ importer: 'html', drafts: ['One\n\nTwo'] });
  });

  it('that nests without end is read as far as pages nest', async () => {
    const path = await fileOf('deep.html', `<p>Top</p>${'<div>'.repeat(50_000)}Deep`);
    expect(await textOf(path)).toBe('Top');
  });
});

describe('a PDF', () => {
  it('gives paragraphs over lines and pages, without headers and footers', async () => {
    const sentence =
      'The old lighthouse keeper had not spoken to anybody for a very long time, and when the boat came in he found that' +
      ' he had forgotten most of the words that people use when they meet.';
    const paragraphs = Array.from(
      { length: 9 },
      (_, index) => `Paragraph ${index + 1}. ${sentence} ${sentence} The end.`,
    );
    expect(await importFile(fixture('lighthouse.pdf'))).toEqual({
      importer: 'pdf',
      drafts: [['The lighthouse', ...paragraphs].join('\n\n')],
      skipped: [],
    });
  });

  it('makes words whole that line ends divide', async () => {
    expect(await textOf(fixture('hyphens.pdf'))).toBe(
      'Words at the end of a line are often divided, and so-called compounds of North-South keep theirs where it belongs.',
    );
  });

  it('in a Korean encoding that it only names is read', async () => {
    const pdf = makePdf([{ english: [], korean: ['BEC8B3E7C7CFBCBCBFE4'] }]);
    expect(await textOf(await fileOf('korean.pdf', pdf))).toBe('안녕하세요');
  });

  it('without text, or damaged, is refused', async () => {
    const empty = await fileOf('empty.pdf', makePdf([{ english: [], korean: [] }]));
    await expect(importFile(empty)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('without text'),
    });
    const damaged = await fileOf('damaged.pdf', '%PDF-1.7\nnothing more');
    await expect(importFile(damaged)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('damaged'),
    });
  });
});

describe('a Word document', () => {
  it('is its text with headings, lists and tables, without what stands on every page', async () => {
    expect(await importFile(fixture('garden.docx'))).toEqual({
      importer: 'docx',
      drafts: [
        'The garden\n\nIt had rained for days. Then it stopped.\n\n한글 문단도 있습니다.\n\n- Apples\n- Pears\n\nMonth | Rain\nMay | 80 mm',
      ],
      skipped: [],
    });
  });

  it('that unpacks to far more than a person writes is refused', async () => {
    const bomb = await fileOf('bomb.docx', documentOf(Buffer.alloc(30 * 2 ** 20, ' ')));
    await expect(importFile(bomb)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('unpacks to more than 24 MiB'),
    });
    const larger = await fileOf('larger.docx', documentOf(Buffer.alloc(70 * 2 ** 20, ' ')));
    await expect(importFile(larger)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('whose archive lies about sizes, or that is damaged, is refused', async () => {
    const liar = documentOf(Buffer.alloc(2 ** 20, ' '), 100);
    await expect(importFile(await fileOf('liar.docx', liar))).rejects.toMatchObject({
      code: 'invalid-input',
    });
    const broken = documentOf(Buffer.from('<w:document'));
    await expect(importFile(await fileOf('broken.docx', broken))).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('damaged'),
    });
  });
});

describe('a folder', () => {
  it('stands for the files in it that can be read, by name, and for nothing hidden, linked or of programs', async () => {
    const root = join(folder, 'root');
    for (const inside of ['b/c', '.git', 'node_modules/x'])
      await mkdir(join(root, inside), { recursive: true });
    for (const name of ['a.md', 'b/c/d.txt', '.hidden.txt', '.git/config.txt', 'node_modules/x/index.js']) {
      await writeFile(join(root, name), 'words');
    }
    await cp(fixture('garden.docx'), join(root, 'b/garden.docx'));
    await writeFile(join(root, 'picture.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0]));
    await symlink(root, join(root, 'loop'));
    await symlink(join(root, 'a.md'), join(root, 'link.md'));
    const files = ['a.md', 'b/c/d.txt', 'b/garden.docx'].map((name) => join(root, name));
    expect(await importFiles([root])).toEqual({ files, passedOver: 1 });
    const [first = ''] = files;
    expect(await importFiles([first, root])).toEqual({ files, passedOver: 1 });
  });

  it('without anything to read, or that is not there, is refused', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expect(importFiles([empty])).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(importFiles([join(folder, 'nowhere')])).rejects.toMatchObject({ code: 'file-missing' });
  });
});

it('no importer takes a file of random bytes, or of nothing', async () => {
  const bytes = Buffer.from(await readFile(fixture('garden.docx'))).subarray(5000, 9000);
  for (const content of [bytes, Buffer.alloc(0)]) {
    await expect(importFile(await fileOf('random', content))).rejects.toThrow('Nothing recognises');
  }
});
