import type { Attachment } from '../../../shared/contract/index.ts';
import { decodeText } from './decode.ts';
import { readPdf, type PdfLibrary } from './pdf.ts';
import { AttachmentError } from './problem.ts';

/** Most files of one message, as the contract has it. */
export const maxAttachments = 20;
/** Largest text file, in bytes: more than the longest context of any model holds. */
export const maxTextBytes = 8 * 1024 * 1024;
/** Largest PDF, in bytes: its pictures count here, but only its text is kept. */
export const maxPdfBytes = 100 * 1024 * 1024;
/** Longest text of one file, in characters: about 250,000 tokens. */
export const maxCharacters = 1_000_000;

const pdfMark = '%PDF-';
const megabyte = 1024 * 1024;

async function loadPdfLibrary(): Promise<PdfLibrary> {
  return (await import('./pdf-library.ts')).pdfLibrary;
}

async function bytesOf(blob: Blob, name: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    // A folder, a file that is gone since, or one that may not be read.
    throw new AttachmentError('unreadable', { name }, { cause: error });
  }
}

function isPdf(bytes: Uint8Array): boolean {
  return [...pdfMark].every((character, index) => bytes[index] === character.charCodeAt(0));
}

function checkSize(file: File, limit: number): void {
  if (file.size > limit) throw new AttachmentError('too-large', { name: file.name, limit: limit / megabyte });
}

/** A file as the text that the model reads. Throws an AttachmentError if there is none, or too much of it. */
export async function readAttachment(file: File, loadLibrary = loadPdfLibrary): Promise<Attachment> {
  const { name } = file;
  checkSize(file, maxPdfBytes);
  // A large file is looked at before all of it is read.
  const pdf = isPdf(await bytesOf(file.slice(0, pdfMark.length), name));
  if (!pdf) checkSize(file, maxTextBytes);
  const bytes = await bytesOf(file, name);
  const text = pdf ? await readPdf(name, bytes, await loadLibrary()) : decodeText(bytes);
  if (text === null) throw new AttachmentError('binary', { name });
  if (text.trim() === '') throw new AttachmentError('empty', { name });
  if (text.length > maxCharacters) {
    throw new AttachmentError('too-long', { name, characters: text.length, limit: maxCharacters });
  }
  const mimeType = pdf ? 'application/pdf' : file.type || 'text/plain';
  return { name: name || 'text.txt', mimeType, bytes: file.size, text };
}
