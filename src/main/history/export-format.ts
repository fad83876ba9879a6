import { z } from 'zod';
import {
  attachmentSchema,
  conversationSchema,
  feedbackSchema,
  messageSchema,
  replyStatsSchema,
  samplingSchema,
  timeSchema,
} from '../../shared/contract/index.ts';

/**
 * A history as a file: everything that a person would miss, and nothing that means something in this database alone. Models
 * and folders go by name, messages by their place in the list, in which parents come before their children.
 */
export const exportFormat = 'puna-history';
export const exportVersion = 1;

const placeSchema = z.int().nonnegative().nullable();

export const exportedMessageSchema = messageSchema
  .pick({ role: true, text: true, thinking: true, status: true })
  .extend({
    parent: placeSchema,
    error: z.string().nullable().default(null),
    // Absent in older exports; a newer Puna may know kinds that this one does not.
    errorCode: messageSchema.shape.errorCode.catch(null),
    attachments: z.array(attachmentSchema).default([]),
    stats: replyStatsSchema.nullable().default(null),
    feedback: feedbackSchema.default({ rating: null, correction: null }),
    createdAt: timeSchema,
  });
export type ExportedMessage = z.infer<typeof exportedMessageSchema>;

export const exportedConversationSchema = conversationSchema
  .pick({ title: true, pinned: true, archived: true, createdAt: true, updatedAt: true, systemPrompt: true })
  .extend({
    folder: z.string().nullable().default(null),
    model: z.string().nullable().default(null),
    adapters: z
      .array(z.object({ name: z.string(), scale: z.number(), anyBase: z.boolean().optional() }))
      .default([]),
    sampling: samplingSchema,
    messages: z.array(exportedMessageSchema),
    leaf: placeSchema,
  })
  .refine(
    ({ messages, leaf }) =>
      (leaf === null || leaf < messages.length) &&
      messages.every(({ parent }, place) => parent === null || parent < place),
    { error: 'A message refers to one that is not before it.' },
  );
export type ExportedConversation = z.infer<typeof exportedConversationSchema>;
