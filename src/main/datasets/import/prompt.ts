import { z } from 'zod';
import { optionalText, source } from './source.ts';

const schema = z.object({ prompt: optionalText, completion: optionalText, response: optionalText });

/** A prompt and its answer, as older APIs of OpenAI and many home-made files have them. */
export const prompt = source(
  [
    ['prompt', 'completion'],
    ['prompt', 'response'],
  ],
  schema,
  (record) => [
    {
      kind: 'conversation',
      turns: [
        { role: 'user', text: record.prompt },
        { role: 'assistant', text: record.completion || record.response },
      ],
    },
  ],
);
