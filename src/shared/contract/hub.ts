import { z } from 'zod';
import { idSchema, timeSchema } from './conversation.ts';
import { failureSchema } from './failure.ts';

const count = z.int().nonnegative();

/** A repository of the hub, as a search tells of it. */
export const hubModelSchema = z.object({
  /** `OWNER/NAME` */
  id: z.string(),
  downloads: count.nullable(),
  likes: count.nullable(),
  /** As ISO 8601 has it. */
  changedAt: z.string().nullable(),
  /** Whether conditions have to be accepted: at once, or once the owner has agreed. */
  gated: z.union([z.literal(false), z.enum(['auto', 'manual'])]),
  tags: z.array(z.string()),
});
export type HubModel = z.infer<typeof hubModelSchema>;

/** A model in a repository that can be downloaded: a GGUF file, or all parts of a split one. */
export const hubFileSchema = z.object({
  /** What `downloads.start` calls it. */
  name: z.string(),
  /** Such as `Q4_K_M`; null where its name does not tell. */
  quantization: z.string().nullable(),
  bytes: count,
  parts: count,
  /** The best choice for this machine. */
  recommended: z.boolean(),
  /** Whether it fits this machine's memory with a conversation of some length, as far as size and quantization tell. */
  fits: z.boolean(),
  /** It is in the library already. */
  modelId: idSchema.nullable(),
});
export type HubFile = z.infer<typeof hubFileSchema>;

export const hubRepositorySchema = hubModelSchema.extend({
  revision: z.string(),
  license: z.string().nullable(),
  licenseLink: z.string().nullable(),
  baseModels: z.array(z.string()),
  languages: z.array(z.string()),
  parameters: z.number().nullable(),
  architecture: z.string().nullable(),
  contextLength: z.number().nullable(),
  /** By quantization, smallest first. */
  files: z.array(hubFileSchema),
  /** As a folder of Hugging Face for the page Weights; null where it has no weights in that form. */
  folder: z.object({ files: count, bytes: count }).nullable(),
  /** Markdown that anybody may have written; null where there is none. */
  card: z.string().nullable(),
  /** Its page on the hub. */
  page: z.string(),
});
export type HubRepository = z.infer<typeof hubRepositorySchema>;

/** A model that is worth a try, and why. */
export const recommendedModelSchema = z.object({
  name: z.string(),
  repository: z.string(),
  quantization: z.string(),
  gigabytes: z.number(),
  billions: z.number(),
  license: z.string(),
  languages: z.array(z.string()),
  why: z.object({ en: z.string(), ko: z.string() }),
  /** As of files of the hub. */
  fits: z.boolean(),
  /** It is in the library already, as far as its place there tells. */
  modelId: idSchema.nullable(),
});
export type RecommendedModel = z.infer<typeof recommendedModelSchema>;

/** What to download of a repository: one of its `files` by name, or all of it as a folder (null). */
export const downloadOrderSchema = z.object({
  repository: z.string().min(3).max(200),
  file: z.string().min(1).max(500).nullable(),
});
export type DownloadOrder = z.infer<typeof downloadOrderSchema>;

/**
 * How a download stands. What is paused or failed goes on where it was; what waits or is at work goes on after a restart. What failed
 * and may go well later waits, too, with what went wrong and `retryAt`.
 */
export const downloadSchema = downloadOrderSchema.extend({
  id: idSchema,
  /** What people call it: the file's name, or the repository's. */
  name: z.string(),
  quantization: z.string().nullable(),
  state: z.enum(['waiting', 'working', 'paused', 'done', 'failed']),
  bytes: count,
  doneBytes: count,
  /** Estimated; null while it is not known. */
  bytesPerSecond: z.number().nonnegative().nullable(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Where it is, or will be. */
  path: z.string(),
  /** Its place in the library, once it is there; null for folders. */
  modelId: idSchema.nullable(),
  error: failureSchema.nullable(),
  /** When what failed is tried again by itself, while it waits for that. */
  retryAt: timeSchema.nullable(),
  createdAt: timeSchema,
});
export type Download = z.infer<typeof downloadSchema>;

/** Where models are looked for, and how. */
export const hubSettingsSchema = z.object({
  /** Of a mirror; empty: the usual one, or that of HF_ENDPOINT. */
  endpoint: z.string().max(500),
  /** Bandwidth that downloads leave it at, in bytes per second; null: all there is. */
  bytesPerSecond: z.number().positive().nullable(),
});
export type HubSettings = z.infer<typeof hubSettingsSchema>;

export const defaultHubSettings: HubSettings = { endpoint: '', bytesPerSecond: null };

/** The same, with what follows from it. */
export const hubSettingsNowSchema = hubSettingsSchema.extend({
  /** Of the hub that is asked, without a slash at its end; null where HF_ENDPOINT names none. */
  address: z.string().nullable(),
  /** Whether others can read what goes there: it is http, to another machine. */
  isOpenWay: z.boolean(),
  /** Whether a token goes along to this hub. It is never told itself. */
  hasToken: z.boolean(),
});
export type HubSettingsNow = z.infer<typeof hubSettingsNowSchema>;
