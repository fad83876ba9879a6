import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { findMistaken, type Mistaken } from './mistaken.ts';

/** What people take for a GGUF file, by its first bytes, and what to do about it. */
const mistaken: readonly Mistaken[] = [
  {
    start: 'lmgg',
    is: 'a model in the old GGML format',
    remedy: 'Look for a GGUF file of this model.',
  },
  {
    start: 'fmgg',
    is: 'a model in the old GGMF format',
    remedy: 'Look for a GGUF file of this model.',
  },
  {
    start: 'tjgg',
    is: 'a model in the old GGJT format',
    remedy: 'Look for a GGUF file of this model.',
  },
  {
    start: 'PK',
    is: 'a ZIP archive or a PyTorch checkpoint',
    remedy: 'Unpack it, or look for a GGUF file of this model.',
  },
];

/** The error for a file without GGUF's magic, as helpful as its first bytes allow. */
export async function notGguf(source: ByteSource, name: string): Promise<PunaError> {
  if (source.size === 0) {
    return new PunaError('not-gguf', `${name} is empty.`, 'Download or copy the file again.');
  }
  const found = await findMistaken(source, mistaken);
  if (found) return new PunaError('not-gguf', `${name} is ${found.is}, not a GGUF model.`, found.remedy);
  return new PunaError(
    'not-gguf',
    `${name} is not a GGUF file.`,
    'Choose a model file in the GGUF format; its name usually ends in .gguf.',
  );
}
