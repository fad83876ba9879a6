import { z } from 'zod';
import { idSchema } from './conversation.ts';
import { downloaders } from './library-choices.ts';
import { modelSchema, verifiedSchema } from './model.ts';

// Apart, so that the page can have them without the schemas.
export { type Downloader, downloaders, type ModelOrigin } from './library-choices.ts';

const count = z.int().nonnegative();

/** A folder that a person has added: what is in it is in the library. */
export const libraryFolderSchema = z.object({
  id: idSchema,
  path: z.string(),
  /** `missing`: it is not there now, such as one on a disk that is unplugged. `unreadable`: Puna may not look into it. */
  state: z.enum(['reading', 'there', 'missing', 'unreadable']),
  /** What was found in it, adapters and folders of weights too. */
  models: count,
  /** There is more in it than is looked at. */
  isCut: z.boolean(),
});
export type LibraryFolder = z.infer<typeof libraryFolderSchema>;

/** What another program has downloaded, whether it is shown or not. */
export const downloadedSchema = z.object({
  program: z.enum(downloaders),
  /** Where it keeps them. */
  paths: z.array(z.string()),
  models: count,
  bytes: count,
});
export type Downloaded = z.infer<typeof downloadedSchema>;

/** What the library is made of, beside the models and adapters themselves. */
export const libraryStateSchema = z.object({
  folders: z.array(libraryFolderSchema),
  downloaded: z.array(downloadedSchema),
  /** Hugging Face folders: bases for operations on weights. Their kind is `weights`. */
  weights: z.array(modelSchema),
  /** Folders are being looked through. */
  reading: z.boolean(),
});
export type LibraryState = z.infer<typeof libraryStateSchema>;

/** How far a check of a model's files is; the last one has what came of it. */
export const verifyProgressSchema = z.object({
  bytes: count,
  total: count,
  verified: verifiedSchema.nullable(),
});
export type VerifyProgress = z.infer<typeof verifyProgressSchema>;
