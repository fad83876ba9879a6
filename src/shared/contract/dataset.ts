import { z } from 'zod';
import { cleanReportSchema, cleanSettingsSchema } from './clean.ts';
import { idSchema, timeSchema } from './conversation.ts';
import { failureSchema } from './failure.ts';

const count = z.int().nonnegative();
const path = z.string().min(1);
const name = z.string().max(200);

/** Which columns of a table are what. Absent ones are not there. */
export const columnMappingSchema = z.object({
  prompt: z.string().optional(),
  reply: z.string().optional(),
  system: z.string().optional(),
  text: z.string().optional(),
});

/** Somebody who speaks in a chat between people. */
export const personSchema = z.object({ name: z.string(), messages: count });

/** A file, folder or archive that a person wants to teach from, as it was recognised, and what has to be asked of them. */
export const dataSourceSchema = z.object({
  path,
  /** Its last part. */
  name: z.string(),
  bytes: count,
  /** Files that it stands for: 1, or those of a folder that can be read. */
  files: count,
  /** As its importer is named (`chatgpt`, `whatsapp`, `pdf`…); `examples`: JSON as programs for training use it; `text`; `folder`: of several kinds. */
  kind: z.string(),
  /** Who speaks in a chat between people, most messages first; null where it is no such chat. */
  people: z.array(personSchema).nullable(),
  /** Whoever exported it, where that can be told. */
  me: z.string().nullable(),
  /** The columns of a table and what they are taken for; null where it is no table. */
  columns: z.object({ names: z.array(z.string()), mapping: columnMappingSchema }).nullable(),
  /** A chat whose dates are not known: its first three lines. The person is asked for a pattern. */
  strangeDates: z.array(z.string()).nullable(),
  /** Why nothing can be read from it. */
  failure: failureSchema.nullable(),
});
export type DataSource = z.infer<typeof dataSourceSchema>;

/** Where examples come from. */
export const importSourceSchema = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('file'),
    path,
    /** Whose messages are learnt, of chats between people; null: whoever exported it. */
    me: z.string().nullable().default(null),
    columns: columnMappingSchema.nullable().default(null),
    /** How a chat writes dates that are not known, such as `D/M/YYYY, h:m - `. */
    dates: z.string().nullable().default(null),
  }),
  z.object({
    from: z.literal('history'),
    /** Conversations of one folder; null: all. */
    folderId: idSchema.nullable(),
    /** Only replies with a thumb up, or with a correction, are learnt. */
    onlyLiked: z.boolean(),
  }),
]);
export type ImportSource = z.infer<typeof importSourceSchema>;

/** Examples that are measured on and never learnt from, as a share, unless the person chooses others. */
export const defaultValidation = 0.1;
/** More measure nothing more exactly, and take time at each measurement. */
export const mostValidation = 200;

/** A dataset made of what people have. */
export const importOrderSchema = z.object({
  kind: z.literal('import'),
  name,
  sources: z.array(importSourceSchema).max(1000),
  /** Null: as it is. */
  clean: cleanSettingsSchema.nullable(),
  /** Share that is not learnt from, but measured on; at most `mostValidation` examples. */
  validation: z.number().min(0).max(0.5).default(defaultValidation),
});
export type ImportOrder = z.infer<typeof importOrderSchema>;

/** A task to begin self-instruct with, as the paper's seeds have it. */
export const seedTaskSchema = z.object({
  instruction: z.string().min(1).max(4000),
  input: z.string().max(4000).default(''),
  output: z.string().min(1).max(8000),
});
export type SeedTask = z.infer<typeof seedTaskSchema>;

const grown = {
  name,
  /** The model that writes. */
  modelId: idSchema,
  /** An instruction or question as similar as that (ROUGE-L) to an earlier one is left out; the paper has 0.7. */
  similarity: z.number().min(0.3).max(1).default(0.7),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
};

/** A dataset that a model writes. Nothing is learnt from it before a person has looked at it. */
export const growOrderSchema = z.discriminatedUnion('kind', [
  /** Question–answer pairs about the texts of a dataset; `perText`: of each passage, of which long texts have many. */
  z.object({ kind: z.literal('pairs'), datasetId: idSchema, perText: z.int().min(1).max(20), ...grown }),
  /** Self-instruct (https://arxiv.org/abs/2212.10560); no seeds: Puna's own, in that language. */
  z.object({
    kind: z.literal('self-instruct'),
    seeds: z.array(seedTaskSchema).max(1000),
    language: z.enum(['en', 'ko']),
    count: z.int().min(1).max(10_000),
    ...grown,
  }),
  /** The model talks with itself about topics, as Baize does (https://arxiv.org/abs/2304.01196). */
  z.object({
    kind: z.literal('self-chat'),
    topics: z.array(z.string().min(1).max(1000)).min(1).max(10_000),
    /** Exchanges of a conversation: a question and its answer each. */
    exchanges: z.int().min(1).max(10),
    language: z.enum(['en', 'ko']),
    ...grown,
  }),
]);
export type GrowOrder = z.infer<typeof growOrderSchema>;

/** How a dataset came about: whoever orders the same again gets the same, as far as the sources are the same. */
export const datasetRecipeSchema = z.union([importOrderSchema, growOrderSchema]);
export type DatasetRecipe = z.infer<typeof datasetRecipeSchema>;

/** What was left out while it was read, by reason, with where the first few stood. */
export const leftOutSchema = z.object({ reason: z.string(), count, where: z.array(z.string()).optional() });
export type LeftOut = z.infer<typeof leftOutSchema>;

export const datasetCountsSchema = z.object({
  conversations: count,
  texts: count,
  /** Of all, those that a person has excluded. */
  excluded: count,
  /** Of those that are not excluded, those that are measured on. */
  validation: count,
});
export type DatasetCounts = z.infer<typeof datasetCountsSchema>;

/** How a dataset stands. What is stopped or failed can be resumed; what is being made goes on after a restart. */
export const datasetStateSchema = z.enum(['waiting', 'working', 'ready', 'stopped', 'failed']);

export const datasetSchema = z.object({
  id: idSchema,
  name,
  state: datasetStateSchema,
  recipe: datasetRecipeSchema,
  /** While it is made. `share`: how much is done, null where nobody knows. `current`: what is being read, or asked. */
  progress: z
    .object({ share: z.number().min(0).max(1).nullable(), examples: count, current: z.string() })
    .nullable(),
  counts: datasetCountsSchema,
  leftOut: z.array(leftOutSchema),
  cleaned: cleanReportSchema.nullable(),
  /** Examples that there were where they were too many to keep all; null: all are kept. */
  sampledFrom: count.nullable(),
  /** SHA-256 of what is learnt from and measured on, in order; null while nobody has asked for it since the last change. */
  fingerprint: z.string().nullable(),
  /** A person has looked at what a model wrote; always so for what was imported. */
  reviewed: z.boolean(),
  error: failureSchema.nullable(),
  /** The file that holds the examples (SQLite). */
  path: z.string(),
  createdAt: timeSchema,
  changedAt: timeSchema,
});
export type Dataset = z.infer<typeof datasetSchema>;

/** One turn of an example. What the assistant says is learnt unless it says otherwise. */
export const datasetTurnSchema = z.object({
  role: z.enum(['user', 'assistant']),
  text: z.string().min(1),
  learnt: z.boolean().default(true),
});

/** What is to be learnt: turns alternate, begin with the user and end with the assistant. */
export const exampleContentSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('conversation'),
    system: z.string(),
    turns: z
      .array(datasetTurnSchema)
      .min(2)
      .refine(
        (turns) =>
          turns.length % 2 === 0 && turns.every(({ role }, at) => role === (at % 2 ? 'assistant' : 'user')),
        'Turns must alternate, begin with the user and end with the assistant.',
      ),
  }),
  z.object({ kind: z.literal('text'), text: z.string().min(1) }),
]);
export type ExampleContent = z.infer<typeof exampleContentSchema>;

/** An example in the table: its beginning, cut where it is long. */
export const exampleRowSchema = z.object({
  id: idSchema,
  kind: z.enum(['conversation', 'text']),
  turns: count,
  /** The beginning of what was asked (empty for texts), and of the last answer or the text. */
  asked: z.string(),
  answer: z.string(),
  /** Where it came from: a file's name and place, or a text that pairs were made of. */
  source: z.string(),
  /** Measured on, not learnt from. */
  validation: z.boolean(),
  excluded: z.boolean(),
  edited: z.boolean(),
  /** In tokens of the model that it was last measured with; null before. */
  tokens: count.nullable(),
});
export type ExampleRow = z.infer<typeof exampleRowSchema>;

/** Which examples: by words in them, and by what becomes of them. */
export const exampleFilterSchema = z.object({
  query: z.string().max(1000).default(''),
  show: z.enum(['all', 'learnt', 'validation', 'excluded', 'edited']).default('all'),
});
export type ExampleFilter = z.infer<typeof exampleFilterSchema>;

/** Some examples, or all that a filter finds. */
export const exampleChoiceSchema = z.union([
  z.object({ ids: z.array(idSchema).min(1).max(10_000) }),
  z.object({ filter: exampleFilterSchema }),
]);
export type ExampleChoice = z.infer<typeof exampleChoiceSchema>;

/** An example whole, as far as it can be shown. */
export const exampleSchema = exampleRowSchema.extend({
  content: exampleContentSchema,
  /** It is too long to be shown whole and edited; `content` is its beginning. */
  cut: z.boolean(),
});
export type DatasetExample = z.infer<typeof exampleSchema>;

/** Lengths in tokens of a model, of all examples that are not excluded. */
export const measuresSchema = z.object({
  modelId: idSchema,
  examples: count,
  tokens: count,
  /** Of those, tokens that are learnt to be written. */
  learntTokens: count,
  median: count,
  longest: count,
  /** How many examples are at least `from` and less than `to` tokens long; widths double. */
  histogram: z.array(z.object({ from: count, to: count, count })),
});
export type Measures = z.infer<typeof measuresSchema>;

/** What the model reads of an example, in pieces: those with `learnt` it learns to write. */
export const maskPreviewSchema = z.object({
  tokens: count,
  /** It is longer than the context and loses its end. */
  shortened: z.boolean(),
  pieces: z.array(z.object({ text: z.string(), learnt: z.boolean() })),
});
export type MaskPreview = z.infer<typeof maskPreviewSchema>;
