import { z } from 'zod';
import type { DraftTurn } from '../draft.ts';
import { optionalText, source } from './source.ts';

/** Who speaks, as the exports of several years and their successors name them. */
const speakers = new Map<string, DraftTurn['role']>([
  ['system', 'system'],
  ['human', 'user'],
  ['user', 'user'],
  ['gpt', 'assistant'],
  ['assistant', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bing', 'assistant'],
  ['bard', 'assistant'],
  ['model', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['function_call', 'tool'],
  ['observation', 'tool'],
]);

const schema = z.object({
  system: optionalText,
  conversations: z.array(z.object({ from: z.string(), value: optionalText })).nullish(),
});

/** What the browser extension ShareGPT saved, and Vicuna was trained on. Values may be HTML, and stay as they are. */
export const sharegpt = source([['conversations']], schema, ({ system, conversations }) => {
  const turns = (conversations ?? []).map(({ from, value }) => ({
    role: speakers.get(from) ?? 'other',
    text: value,
  }));
  return [{ kind: 'conversation', turns: system ? [{ role: 'system', text: system }, ...turns] : turns }];
});
