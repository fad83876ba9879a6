import { z } from 'zod';
import { conversationSchema, folderSchema, idSchema, presetSchema } from './conversation.ts';
import { datasetSchema } from './dataset.ts';
import { downloadSchema } from './hub.ts';
import { libraryStateSchema } from './library.ts';
import { messageSchema } from './message.ts';
import { engineStatusSchema, modelSchema, queueEntrySchema } from './model.ts';
import { serverSchema } from './servers.ts';
import { settingsSchema } from './settings.ts';
import { trainingPresetSchema, trainingRunSchema } from './training.ts';
import { weightsJobSchema } from './weights.ts';

/** Something that happened by itself and that a person should be told of, in their own language. */
export const noticeSchema = z.enum(['model-unloaded-for-training']);
export type Notice = z.infer<typeof noticeSchema>;

/**
 * Everything that changes, told to every window and tab. State is told whole and replaces what was known; only text that
 * streams is told in pieces.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('conversation'), conversation: conversationSchema }),
  z.object({ type: z.literal('conversation-removed'), conversationId: idSchema }),
  /** Many conversations changed at once (an import): load the list again. */
  z.object({ type: z.literal('conversations-reset') }),
  z.object({ type: z.literal('message'), message: messageSchema }),
  z.object({
    type: z.literal('delta'),
    conversationId: idSchema,
    messageId: idSchema,
    part: z.enum(['text', 'thinking']),
    /** Length of the part before this piece, in UTF-16 units; a gap means that something was missed: load it again. */
    offset: z.int().nonnegative(),
    piece: z.string(),
  }),
  z.object({ type: z.literal('engine'), status: engineStatusSchema }),
  z.object({ type: z.literal('queue'), entries: z.array(queueEntrySchema) }),
  z.object({ type: z.literal('models'), models: z.array(modelSchema) }),
  z.object({ type: z.literal('library'), library: libraryStateSchema }),
  z.object({ type: z.literal('servers'), servers: z.array(serverSchema) }),
  z.object({ type: z.literal('folders'), folders: z.array(folderSchema) }),
  z.object({ type: z.literal('presets'), presets: z.array(presetSchema) }),
  z.object({ type: z.literal('settings'), settings: settingsSchema }),
  /** A run as it is now; steps are told a few times a second. */
  z.object({ type: z.literal('training'), run: trainingRunSchema }),
  z.object({ type: z.literal('training-removed'), runId: idSchema }),
  z.object({ type: z.literal('training-presets'), presets: z.array(trainingPresetSchema) }),
  /** A dataset as it is now; progress is told a few times a second. */
  z.object({ type: z.literal('dataset'), dataset: datasetSchema }),
  z.object({ type: z.literal('dataset-removed'), datasetId: idSchema }),
  /** An operation on weights as it is now; progress is told a few times a second. */
  z.object({ type: z.literal('weights'), job: weightsJobSchema }),
  z.object({ type: z.literal('weights-removed'), jobId: idSchema }),
  /** A download as it is now; progress is told a few times a second. */
  z.object({ type: z.literal('download'), download: downloadSchema }),
  z.object({ type: z.literal('download-removed'), downloadId: idSchema }),
  /** Whether the data folder is in its place; while it is not, what Puna keeps may be lost with its end. */
  z.object({ type: z.literal('data-folder'), isThere: z.boolean() }),
  z.object({ type: z.literal('notice'), notice: noticeSchema }),
]);
export type PunaEvent = z.infer<typeof eventSchema>;
