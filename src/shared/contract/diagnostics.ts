import { z } from 'zod';
import { timeSchema } from './conversation.ts';
import { machineSchema } from './machine.ts';
import { engineStatusSchema } from './model.ts';

const bytes = z.number().nonnegative();
const count = z.int().nonnegative();

/** What is in the data folder, by what it is for. */
export const dataParts = ['models', 'adapters', 'conversations', 'datasets', 'other'] as const;
export type DataPart = (typeof dataParts)[number];

/** Where everything lies, and how much of the disk it takes. */
export const dataFolderSchema = z.object({
  path: z.string(),
  bytes,
  /** Those that take anything, in the order of `dataParts`. */
  parts: z.array(z.object({ part: z.enum(dataParts), bytes })),
  /** Whether `system.openDataFolder` has a file manager to show it in. */
  canOpen: z.boolean(),
});
export type DataFolder = z.infer<typeof dataFolderSchema>;

/** What may be wrong with an installation. */
export const findingKinds = [
  'folder-missing',
  'folder-read-only',
  'disk-low',
  'database-damaged',
  'database-newer',
  'database-unreadable',
  'llama-missing',
  'gpu-unused',
  'engine-died',
  'resources-missing',
  'clock-behind',
  'clock-moved',
] as const;

export const findingSchema = z.object({
  kind: z.enum(findingKinds),
  /** Something does not work by it; otherwise it is good to know. */
  isFault: z.boolean(),
  sentence: z.string(),
  remedy: z.string(),
});
export type Finding = z.infer<typeof findingSchema>;

/** All that helps to find a fault, and nothing of what a person wrote, no names of their files, no tokens. */
export const diagnosticsSchema = z.object({
  at: timeSchema,
  /** `terminal`: Puna itself does not run, a command looks. */
  shell: z.enum(['electron', 'browser', 'terminal']),
  versions: z.object({
    puna: z.string(),
    node: z.string(),
    electron: z.string().nullable(),
    nodeLlamaCpp: z.string(),
    /** Null where llama.cpp, or the database, cannot be asked. */
    llamaCpp: z.string().nullable(),
    sqlite: z.string().nullable(),
  }),
  /** Such as `Linux x64 6.1.0`. */
  system: z.string(),
  /** A home is written as `~`. */
  dataFolder: z.string(),
  /** Null where the engine that asks for it does not work. */
  machine: machineSchema.nullable(),
  /** Since the start of Puna. `deaths`: ends that nobody has asked for. */
  engines: z.array(z.object({ name: z.string(), running: count, starts: count, deaths: count })),
  /** The engine that chats; null in a terminal. */
  chat: engineStatusSchema.pick({ state: true, device: true, contextSize: true }).nullable(),
  /** Null where there is none yet, or it cannot be read. */
  database: z
    .object({
      bytes,
      version: count,
      conversations: count,
      messages: count,
      /** What is wrong with it, by SQLite's own check; null: not checked. */
      problems: z.array(z.string()).nullable(),
    })
    .nullable(),
  findings: z.array(findingSchema),
  /** The last lines, oldest first. */
  log: z.array(z.string()),
  /** The same as Markdown, to be copied into a report. */
  report: z.string(),
});
export type Diagnostics = z.infer<typeof diagnosticsSchema>;
