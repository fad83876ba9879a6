import { z } from 'zod';
import type { Draft, DraftTurn } from '../draft.ts';
import { optionalText, source } from './source.ts';

const answerShape = { input: optionalText, output: optionalText };

const schema = z.object({
  system: optionalText,
  instruction: optionalText,
  ...answerShape,
  instances: z.array(z.object(answerShape)).nullish(),
});

/** Stanford Alpaca's instructions, and the seed tasks of self-instruct, which have several answers to one instruction. */
export const alpaca = source(
  [
    ['instruction', 'output'],
    ['instruction', 'instances'],
  ],
  schema,
  ({ system, instruction, instances, ...answer }) =>
    (instances ?? [answer]).map(({ input, output }): Draft => {
      const asked = input.trim() === '' ? instruction : `${instruction}\n\n${input}`;
      const turns: DraftTurn[] = [
        { role: 'user', text: asked },
        { role: 'assistant', text: output },
      ];
      return { kind: 'conversation', turns: system ? [{ role: 'system', text: system }, ...turns] : turns };
    }),
);
