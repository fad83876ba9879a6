import { z } from 'zod';
import { samplingSchema } from './sampling.ts';

export const idSchema = z.int().positive();
/** Milliseconds since 1970-01-01 UTC. */
export const timeSchema = z.int().nonnegative();

/** An adapter of the library at work in a conversation. Scale 1 is the adapter as trained, 0 leaves it without effect. */
export const adapterChoiceSchema = z.object({
  adapterId: idSchema,
  scale: z.number().min(-4).max(4),
  /** It may work on a model that it was not trained on; absent: it may not. Shapes that do not fit are refused in any case. */
  anyBase: z.boolean().optional(),
});
export type AdapterChoice = z.infer<typeof adapterChoiceSchema>;

/** What the conversation list shows. */
export const conversationSummarySchema = z.object({
  id: idSchema,
  /** Empty until a person or the model has named it. */
  title: z.string(),
  folderId: idSchema.nullable(),
  pinned: z.boolean(),
  archived: z.boolean(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
});
export type ConversationSummary = z.infer<typeof conversationSummarySchema>;

export const conversationSchema = conversationSummarySchema.extend({
  /** A model of the library; null: the default one. */
  modelId: idSchema.nullable(),
  adapters: z.array(adapterChoiceSchema),
  systemPrompt: z.string(),
  sampling: samplingSchema,
  /** The last message of the branch in view; null while the conversation is empty. */
  leafId: idSchema.nullable(),
});
export type Conversation = z.infer<typeof conversationSchema>;

/** What a person may change of a conversation; absent keys stay as they are. */
export const conversationPatchSchema = conversationSchema
  .pick({
    title: true,
    folderId: true,
    pinned: true,
    archived: true,
    modelId: true,
    adapters: true,
    systemPrompt: true,
    sampling: true,
  })
  .partial();
export type ConversationPatch = z.infer<typeof conversationPatchSchema>;

export const folderSchema = z.object({ id: idSchema, name: z.string().min(1).max(200) });
export type Folder = z.infer<typeof folderSchema>;

/** A named system prompt and sampling, to be applied to any conversation. */
export const presetSchema = z.object({
  id: idSchema,
  name: z.string().min(1).max(200),
  systemPrompt: z.string(),
  sampling: samplingSchema,
});
export type Preset = z.infer<typeof presetSchema>;
