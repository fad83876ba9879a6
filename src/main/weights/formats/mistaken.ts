import type { ByteSource } from './byte-source.ts';

/** What people take for a model file, by its first bytes, and what to do about it. */
export interface Mistaken {
  readonly start: string;
  readonly is: string;
  readonly remedy: string;
}

/** What a download can leave behind instead of any model. */
const notDownloaded: readonly Mistaken[] = [
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
];

/** What the source is instead of what was asked for, among these and what a download can leave behind. */
export async function findMistaken(
  source: ByteSource,
  others: readonly Mistaken[],
): Promise<Mistaken | undefined> {
  const candidates = [...notDownloaded, ...others];
  const longest = Math.max(...candidates.map(({ start }) => start.length));
  const bytes = Buffer.alloc(Math.min(longest, source.size));
  await source.read(bytes, 0);
  const start = bytes.toString('latin1');
  return candidates.find((candidate) => start.startsWith(candidate.start));
}
