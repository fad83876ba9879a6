import { z } from 'zod';
import { damaged, readDescribedJson, readDescribedText } from '../described-file.ts';
import type { TokenizerJson } from './files.ts';
import { qwen2Pattern } from './pre-tokenizer.ts';

/**
 * What vocab.json and merges.txt, which folders had before tokenizer.json, say as one; null where there are none. How texts
 * are taken apart follows from the tokenizer's class alone. Errors: those of `readDescribedJson`, `file-damaged`.
 */
export async function readLegacyJson(
  files: ReadonlyMap<string, string>,
  tokenizerClass: string | null | undefined,
): Promise<TokenizerJson | null> {
  const [vocabulary, merges] = [files.get('vocab.json'), files.get('merges.txt')];
  if (vocabulary === undefined || merges === undefined) return null;
  return {
    model: {
      type: 'BPE',
      vocab: await readDescribedJson(vocabulary, z.unknown()),
      merges: await readMerges(merges),
    },
    normalizer: null,
    pre_tokenizer: tokenizerClass?.startsWith('Qwen2')
      ? { type: 'Split', pattern: { Regex: qwen2Pattern } }
      : { type: 'ByteLevel' },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
  };
}

async function readMerges(path: string): Promise<string[]> {
  const lines = (await readDescribedText(path)).split('\n').map((line) => line.trim());
  const merges = lines.filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#')));
  if (merges.some((merge) => merge.split(' ').length !== 2))
    throw damaged(path, 'has a line that is no merge');
  return merges;
}
