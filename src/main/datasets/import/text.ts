import { z } from 'zod';
import { optionalText, source } from './source.ts';

/** Texts as they stand, as collections for pre-training have them. */
export const text = source([['text']], z.object({ text: optionalText }), (record) => [
  { kind: 'text', text: record.text },
]);
