import { z } from 'zod';
import { errorCodes } from '../error.ts';
import { idSchema, timeSchema } from './conversation.ts';
import { samplingSchema } from './sampling.ts';
import { modelServerSchema } from './servers.ts';

/** A file that a person dropped into a message, as the text that the model reads. */
export const attachmentSchema = z.object({
  name: z.string().min(1).max(500),
  mimeType: z.string().max(200),
  /** Size of the file itself. */
  bytes: z.int().nonnegative(),
  text: z.string(),
});
export type Attachment = z.infer<typeof attachmentSchema>;

/** The same without its text, which can be megabytes; `messages.attachment` gives that. */
export const attachmentInfoSchema = attachmentSchema
  .omit({ text: true })
  .extend({ characters: z.int().nonnegative() });
export type AttachmentInfo = z.infer<typeof attachmentInfoSchema>;

/**
 * How a message stands. `interrupted`: the engine or the whole program died in mid-reply, and the text so far was kept;
 * `stopped`: a person stopped it; `failed`: `error` says why.
 */
export const messageStatusSchema = z.enum([
  'waiting',
  'streaming',
  'complete',
  'stopped',
  'interrupted',
  'failed',
]);
export type MessageStatus = z.infer<typeof messageStatusSchema>;

/** How a reply was made. Times in seconds, lengths in tokens. */
export const replyStatsSchema = z.object({
  /** Name of the model at the time; the file itself may be gone since. */
  model: z.string(),
  /** Where it answered, as it was called at the time; null: on this machine. */
  server: modelServerSchema.omit({ id: true }).nullable().default(null),
  adapters: z.array(z.object({ name: z.string(), scale: z.number() })),
  sampling: samplingSchema,
  /** The seed in use, drawn when `sampling.seed` was null. */
  seed: z.int(),
  /** Prompt tokens in all, and those of them that the context still held from before. 0: a server does not tell. */
  promptTokens: z.int(),
  cachedTokens: z.int(),
  /** Tokens generated. */
  tokens: z.int(),
  /** From the request's turn in the queue to its last token. */
  seconds: z.number(),
  timeToFirstToken: z.number(),
  /** Generated tokens per second after the first one. */
  tokensPerSecond: z.number(),
  /** How much of the context the conversation fills after this reply; a size of 0: a server does not tell. */
  contextUsed: z.int(),
  contextSize: z.int(),
  /** Messages left out of the prompt, oldest first, because the context was too small for all. */
  droppedMessages: z.int(),
  /** Whether the reply ended at `sampling.maxTokens` or at the end of the context. */
  truncated: z.boolean(),
});
export type ReplyStats = z.infer<typeof replyStatsSchema>;

/** What a person thinks of a reply; later training learns from it. */
export const feedbackSchema = z.object({
  rating: z.enum(['up', 'down']).nullable(),
  /** The reply as the person would have had it. */
  correction: z.string().nullable(),
});
export type Feedback = z.infer<typeof feedbackSchema>;

export const messageSchema = z.object({
  id: idSchema,
  conversationId: idSchema,
  parentId: idSchema.nullable(),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  /** What the model thought before it answered; empty where it didn't. */
  thinking: z.string(),
  status: messageStatusSchema,
  error: z.string().nullable(),
  /** What kind of failure `error` tells of; null where that is not known. */
  errorCode: z.enum(errorCodes).nullable(),
  attachments: z.array(attachmentInfoSchema),
  stats: replyStatsSchema.nullable(),
  feedback: feedbackSchema,
  createdAt: timeSchema,
});
export type Message = z.infer<typeof messageSchema>;

/** A message on the branch in view, with all messages that share its parent (itself among them, oldest first). */
export const pathMessageSchema = messageSchema.extend({ siblings: z.array(idSchema).min(1) });
export type PathMessage = z.infer<typeof pathMessageSchema>;

/** Where a search found something: pieces of text, of which those with `match` are to be highlighted. */
export const snippetSchema = z.array(z.object({ text: z.string(), match: z.boolean() }));
export type Snippet = z.infer<typeof snippetSchema>;

export const searchHitSchema = z.object({
  conversationId: idSchema,
  /** Null where the conversation's title was found. */
  messageId: idSchema.nullable(),
  role: z.enum(['user', 'assistant']).nullable(),
  title: z.string(),
  snippet: snippetSchema,
  createdAt: timeSchema,
});
export type SearchHit = z.infer<typeof searchHitSchema>;
