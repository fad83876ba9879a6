import { z } from 'zod';
import { apiSettingsSchema } from './api.ts';
import { idSchema } from './conversation.ts';
import { loadSettingsSchema } from './model.ts';
import { defaultSampling, samplingSchema } from './sampling.ts';
import { tourStateSchema } from './tour.ts';

/** How models are loaded where their own settings leave it open. Null: chosen from the machine. */
export const computingSchema = loadSettingsSchema.omit({ contextSize: true });
export type Computing = z.infer<typeof computingSchema>;

/** What holds for the whole program. */
export const settingsSchema = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  language: z.enum(['system', 'en', 'ko']),
  /** For new conversations. */
  modelId: idSchema.nullable(),
  systemPrompt: z.string(),
  sampling: samplingSchema,
  /** Let the model name conversations when it is idle. */
  automaticTitles: z.boolean(),
  /** Changed by `api.configure`, which follows it at once. */
  api: apiSettingsSchema,
  /** Models that other programs have downloaded are in the library, too. */
  showDownloaded: z.boolean(),
  computing: computingSchema,
  /** Beginning the tour brings the starter model back where it was taken off the list. */
  tour: tourStateSchema,
  /** Look for newer versions of Puna, and install them. */
  updates: z.boolean(),
});
export type Settings = z.infer<typeof settingsSchema>;

export const defaultSettings: Settings = {
  theme: 'system',
  language: 'system',
  modelId: null,
  systemPrompt: '',
  sampling: defaultSampling,
  automaticTitles: true,
  // Far from the ports of other programs that serve models.
  api: { on: false, port: 11_500 },
  showDownloaded: false,
  computing: { gpuLayers: null, threads: null },
  tour: 'new',
  // Nothing is asked of anyone before the person wants it.
  updates: false,
};

/** This program and this machine, for the settings page and for reports. */
export const systemInfoSchema = z.object({
  version: z.string(),
  shell: z.enum(['electron', 'browser']),
  platform: z.string(),
  dataFolder: z.string(),
  /** Physical memory, in bytes. */
  memory: z.int(),
  cores: z.int(),
});
export type SystemInfo = z.infer<typeof systemInfoSchema>;

/** Which files are looked for: GGUF files, all that weights come in, texts, or all that datasets are made of. */
export const browsedKindSchema = z.enum(['gguf', 'weights', 'text', 'data']);
export type BrowsedKind = z.infer<typeof browsedKindSchema>;

/** A folder on the machine that runs Puna, which is not always the one that shows it. */
export const folderListingSchema = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  folders: z.array(z.string()),
  /** The files in it, of the kind that was asked for. */
  files: z.array(z.object({ name: z.string(), bytes: z.int() })),
});
export type FolderListing = z.infer<typeof folderListingSchema>;
