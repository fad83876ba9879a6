import { z } from 'zod';
import { idSchema } from './conversation.ts';

/** The stations of the tour, in their order. Each is something that is done, not something that is read. */
export const tourSteps = ['chat', 'teach', 'compare', 'delta', 'model'] as const;
export type TourStep = (typeof tourSteps)[number];

/** Where a person is in it: `new` – it is offered, `left` – skipped, it can be begun from the settings again. */
export const tourStateSchema = z.enum(['new', ...tourSteps, 'done', 'left']);
export type TourState = z.infer<typeof tourStateSchema>;

const inBothLanguages = z.object({ en: z.string(), ko: z.string() });

/** What comes with Puna so that every page has something real to do. Null, or empty, where its files are not there. */
export const samplesSchema = z.object({
  /** The starter model, as the library has it; null also where the person has taken it off the list. */
  modelId: idSchema.nullable(),
  /** Personal chats of invented people, to be taught to the starter model. */
  chats: z.object({ path: z.string(), bytes: z.int() }).nullable(),
  /** A delta over the starter model, and what comes of both. */
  delta: z.object({ base: z.string(), path: z.string(), bytes: z.int() }).nullable(),
  questions: z.object({
    /** What the starter model can be asked. */
    chat: z.array(inBothLanguages),
    /** What it answers otherwise once it has learnt the chats; the answer that it should give then. */
    taught: z.array(z.object({ question: inBothLanguages, answer: inBothLanguages })),
    /** What the model that comes of the delta answers otherwise. */
    delta: z.array(inBothLanguages),
  }),
});
export type Samples = z.infer<typeof samplesSchema>;
