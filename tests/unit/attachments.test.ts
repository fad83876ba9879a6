import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/renderer/lib/attachments/decode.ts';
import type { PdfLibrary } from '../../src/renderer/lib/attachments/pdf.ts';
import { AttachmentError } from '../../src/renderer/lib/attachments/problem.ts';
import { maxCharacters, maxTextBytes, readAttachment } from '../../src/renderer/lib/attachments/read.ts';
import { makePdf } from './attachments-pdf-maker.ts';

const maps = join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), 'cmaps');
const library: PdfLibrary = {
  getDocument,
  BinaryDataFactory: class {
    async fetch({ filename }: { filename: string }): Promise<Uint8Array> {
      return new Uint8Array(await readFile(join(maps, filename)));
    }
  },
};

const read = (file: File) => readAttachment(file, async () => library);
const file = (bytes: Uint8Array | string, name = 'note.txt', type = '') =>
  new File([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)], name, { type });

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof AttachmentError) return error.problem;
  throw new Error(`Expected an AttachmentError, got ${String(error)}`);
}

/** `학습을 시작해요` in EUC-KR, as Python's codec writes it. */
const eucKr = Uint8Array.from([
  0xc7, 0xd0, 0xbd, 0xc0, 0xc0, 0xbb, 0x20, 0xbd, 0xc3, 0xc0, 0xdb, 0xc7, 0xd8, 0xbf, 0xe4,
]);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a text file is read in the encoding that it was written in', () => {
  const encodings: [string, Uint8Array, string][] = [
    ['UTF-8', Buffer.from('학습 training\n'), '학습 training\n'],
    ['UTF-8 with a mark', Buffer.from('\uFEFFa,b\r\n1,2\r\n'), 'a,b\n1,2\n'],
    ['UTF-16 LE', Buffer.from('\uFEFF표준어', 'utf16le'), '표준어'],
    ['UTF-16 BE', Buffer.from('\uFEFF표준어', 'utf16le').swap16(), '표준어'],
    ['EUC-KR', eucKr, '학습을 시작해요'],
    [
      'Windows-1252',
      Buffer.from('Où est le café ? Là-bas, à côté.', 'latin1'),
      'Où est le café ? Là-bas, à côté.',
    ],
  ];
  it.each(encodings)('%s', (_, bytes, text) => expect(decodeText(new Uint8Array(bytes))).toBe(text));

  it('and data is no text', () => {
    expect(
      decodeText(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])),
    ).toBeNull();
    expect(decodeText(Uint8Array.from({ length: 500 }, (_, index) => (index * 37) % 256))).toBeNull();
  });
});

describe('a PDF', () => {
  it('gives its English and its Korean text, page by page', async () => {
    const bytes = makePdf([
      { english: ['Hello from page one.', 'A second line.'], korean: [hex(eucKr)] },
      { english: ['Page two'], korean: [] },
    ]);
    const { text, mimeType, bytes: size } = await read(file(bytes, 'paper.pdf'));
    expect(text).toBe('[1 / 2]\nHello from page one.\nA second line.\n학습을 시작해요\n\n[2 / 2]\nPage two');
    expect(mimeType).toBe('application/pdf');
    expect(size).toBe(bytes.length);
  });

  it('of one page has no page number', async () => {
    expect((await read(file(makePdf([{ english: ['Alone'], korean: [] }])))).text).toBe('Alone');
  });

  it('without text says so', async () => {
    expect(await problemOf(read(file(makePdf([{ english: [], korean: [] }]), 'scan.pdf')))).toBe(
      'pdf-without-text',
    );
  });

  it('that is damaged says so', async () => {
    expect(await problemOf(read(file('%PDF-1.4\nnothing of one', 'broken.pdf')))).toBe('pdf-damaged');
  });
});

describe('a file that cannot be attached says why', () => {
  it('data', async () =>
    expect(await problemOf(read(file(Uint8Array.from([1, 2, 0, 4]), 'a.bin')))).toBe('binary'));
  it('nothing in it', async () => expect(await problemOf(read(file(' \n')))).toBe('empty'));
  it('too large', async () =>
    expect(await problemOf(read(file('x'.repeat(maxTextBytes + 1))))).toBe('too-large'));
  it('too long', async () =>
    expect(await problemOf(read(file('x'.repeat(maxCharacters + 1))))).toBe('too-long'));
  it('a folder, or gone since', async () => {
    const gone = file('x');
    gone.slice = () => {
      const nothing = new Blob();
      nothing.arrayBuffer = () => Promise.reject(new DOMException('It could not be found.', 'NotFoundError'));
      return nothing;
    };
    expect(await problemOf(read(gone))).toBe('unreadable');
  });
});

it('keeps name, type and size of a text file', async () => {
  expect(await read(file('a,b\n1,2\n', '표.csv', 'text/csv'))).toEqual({
    name: '표.csv',
    mimeType: 'text/csv',
    bytes: 8,
    text: 'a,b\n1,2\n',
  });
});
