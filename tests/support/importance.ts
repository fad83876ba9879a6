import { writeFile } from 'node:fs/promises';
import type { TinyVariant } from './tiny-architectures.ts';
import { seededRandom } from './tiny-random.ts';

/** Of which llama.cpp's own tool has measured the importance (tests/fixtures/weights/quantize). */
export const importanceVariants = ['llama', 'phi3'] as const satisfies TinyVariant[];
/** Tokens of a chunk. */
export const importanceContext = 64;

const words = [
  'the',
  'a',
  'model',
  'river',
  'stone',
  'light',
  'wind',
  'over',
  'sings',
  'slowly',
  '안녕',
  'green',
];

/** Some hundred lines of a few words each, the same every time. */
export async function writeImportanceText(path: string): Promise<string> {
  const random = seededRandom(5);
  const line = () => Array.from({ length: 8 }, () => words[random.below(words.length)]).join(' ');
  await writeFile(path, `${Array.from({ length: 24 }, line).join('.\n')}\n`);
  return path;
}
