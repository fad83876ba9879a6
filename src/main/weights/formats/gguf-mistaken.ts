import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';

/** What people take for a GGUF file, by its first bytes, and what to do about it. */
const mistaken: { start: string; is: string; remedy: string }[] = [
  {
    start: 'version https://git-lfs',
    is: 'the placeholder of a file that Git LFS did not download',
    remedy: 'Run "git lfs pull" in its folder, or download the file from its page.',
  },
  {
    start: '<',
    is: 'a web page',
    remedy:
      'The download went to a page instead of the file: download it again, signed in if the site asks for it.',
  },
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

const longestStart = Math.max(...mistaken.map(({ start }) => start.length));

/** The error for a file without GGUF's magic, as helpful as its first bytes allow. */
export async function notGguf(source: ByteSource, name: string): Promise<PunaError> {
  if (source.size === 0) {
    return new PunaError('not-gguf', `${name} is empty.`, 'Download or copy the file again.');
  }
  const bytes = Buffer.alloc(Math.min(longestStart, source.size));
  await source.read(bytes, 0);
  const start = bytes.toString('latin1');
  const found = mistaken.find((candidate) => start.startsWith(candidate.start));
  if (found) return new PunaError('not-gguf', `${name} is ${found.is}, not a GGUF model.`, found.remedy);
  return new PunaError(
    'not-gguf',
    `${name} is not a GGUF file.`,
    'Choose a model file in the GGUF format; its name usually ends in .gguf.',
  );
}
