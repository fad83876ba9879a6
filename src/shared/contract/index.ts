import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { errorCodes } from '../error.ts';
import { apiSettingsSchema, apiStatusSchema } from './api.ts';
import {
  conversationPatchSchema,
  conversationSchema,
  conversationSummarySchema,
  folderSchema,
  idSchema,
  presetSchema,
  timeSchema,
} from './conversation.ts';
import {
  dataSourceSchema,
  datasetSchema,
  exampleChoiceSchema,
  exampleContentSchema,
  exampleFilterSchema,
  exampleRowSchema,
  exampleSchema,
  growOrderSchema,
  importOrderSchema,
  maskPreviewSchema,
  measuresSchema,
} from './dataset.ts';
import { dataFolderSchema, diagnosticsSchema } from './diagnostics.ts';
import { eventSchema } from './event.ts';
import {
  downloadOrderSchema,
  downloadSchema,
  hubModelSchema,
  hubRepositorySchema,
  hubSettingsNowSchema,
  hubSettingsSchema,
  recommendedModelSchema,
} from './hub.ts';
import { libraryStateSchema, verifyProgressSchema } from './library.ts';
import { fitSchema, machineSchema } from './machine.ts';
import {
  attachmentSchema,
  feedbackSchema,
  messageSchema,
  pathMessageSchema,
  searchHitSchema,
} from './message.ts';
import {
  engineStatusSchema,
  loadSettingsSchema,
  modelDetailsSchema,
  modelSchema,
  queueEntrySchema,
  tagSchema,
} from './model.ts';
import { newServerSchema, serverPatchSchema, serverSchema } from './servers.ts';
import { browsedKindSchema, folderListingSchema, settingsSchema, systemInfoSchema } from './settings.ts';
import { samplesSchema } from './tour.ts';
import { updatesSchema } from './updates.ts';
import {
  pairSchema,
  suggestionSchema,
  trainingOrderSchema,
  trainingPresetSchema,
  trainingRunSchema,
  trainingSettingsSchema,
} from './training.ts';
import {
  lineageSchema,
  plannedSchema,
  weightsItemSchema,
  weightsJobSchema,
  weightsOperationSchema,
} from './weights.ts';

export * from './api.ts';
export * from './clean.ts';
export * from './conversation.ts';
export * from './dataset.ts';
export * from './diagnostics.ts';
export * from './event.ts';
export * from './failure.ts';
export * from './hub.ts';
export * from './library.ts';
export * from './machine.ts';
export * from './message.ts';
export * from './model.ts';
export * from './sampling.ts';
export * from './servers.ts';
export * from './settings.ts';
export * from './tour.ts';
export * from './training.ts';
export * from './updates.ts';
export * from './weights.ts';

/** Every failure that a person should read arrives as FAILED: the message is the sentence, the remedy what to do. */
const base = oc.errors({
  FAILED: { data: z.object({ code: z.enum(errorCodes), remedy: z.string() }) },
});

/** Opaque position in a list that is read page by page; null: the beginning, or no further page. */
const cursorSchema = z.string().nullable();
const done = z.void();
const counted = z.object({ count: z.int().nonnegative() });

const conversationRef = z.object({ conversationId: idSchema });
const messageRef = z.object({ messageId: idSchema });
const runRef = z.object({ runId: idSchema });
const datasetRef = z.object({ datasetId: idSchema });
const exampleRef = datasetRef.extend({ exampleId: idSchema });
const modelRef = z.object({ modelId: idSchema });
const jobRef = z.object({ jobId: idSchema });
const downloadRef = z.object({ downloadId: idSchema });
const serverRef = z.object({ serverId: idSchema });
const pathRef = z.object({ path: z.string().min(1) });

/** A file of which the bytes come through the contract, because the browser does not tell its path. */
const uploadId = z.uuid();
/** Files that are sent one by one and belong together, such as those of a folder. */
const groupId = z.uuid();
/** A piece of an upload: large enough to be fast, small enough to hold several. */
export const uploadPieceBytes = 1024 * 1024;

const uploadName = z.object({ name: z.string().min(1).max(255) });

/** What `chat.send` and its kin answer at once; the rest arrives as events. */
const startedReply = z.object({ reply: messageSchema });

/** Every procedure and event of Puna, declared once: renderer, transports, command line and tests are typed from it. */
export const contract = {
  system: {
    info: base.output(systemInfoSchema),
    /** Every change from now on. Ends when the caller leaves. */
    events: base.output(eventIterator(eventSchema)),
    /** What a new window must know before events make sense. */
    state: base.output(
      z.object({
        engine: engineStatusSchema,
        queue: z.array(queueEntrySchema),
        models: z.array(modelSchema),
        folders: z.array(folderSchema),
        presets: z.array(presetSchema),
        settings: settingsSchema,
        library: libraryStateSchema,
        dataFolderIsThere: z.boolean(),
      }),
    ),
    /** What this machine has and can do; measured at the first time, which takes about two seconds, and when `measure` asks for it. */
    machine: base.input(z.object({ measure: z.boolean().default(false) })).output(machineSchema),
    /** Folders and files of some kind on the machine that runs Puna; null: the person's home. */
    browse: base
      .input(z.object({ path: z.string().nullable(), show: browsedKindSchema.default('gguf') }))
      .output(folderListingSchema),
    /** The desktop's own file dialog for GGUF files: their paths, empty if cancelled; null where there is no desktop. */
    pickModels: base.output(z.array(z.string()).nullable()),
    updates: base.output(updatesSchema),
    /** How large the data folder is, and what takes the room. */
    dataFolder: base.output(dataFolderSchema),
    /** Shows the data folder in the desktop's file manager. */
    openDataFolder: base.output(done),
    /** What helps to find a fault, without private text. `check`: SQLite reads through the whole database, beside everything else. */
    diagnostics: base.input(z.object({ check: z.boolean().default(false) })).output(diagnosticsSchema),
  },
  settings: {
    update: base.input(settingsSchema.omit({ api: true }).partial()).output(settingsSchema),
    /** All settings as they were at first, those of the hub and of the API too. The tour, tokens and servers stay as they are. */
    reset: base.output(settingsSchema),
  },
  samples: {
    /** What comes with Puna to begin with: a model, chats to teach it, a delta to apply to it. */
    get: base.output(samplesSchema),
  },
  api: {
    status: base.output(apiStatusSchema),
    /** Turns it on or off, or has it use another port; ends when that is done, or has failed. */
    configure: base.input(apiSettingsSchema.partial()).output(apiStatusSchema),
  },
  conversations: {
    /** Pinned first, then by last change, newest first. */
    list: base
      .input(
        z.object({
          archived: z.boolean().default(false),
          /** Only those of one folder; absent: all. */
          folderId: idSchema.optional(),
          cursor: cursorSchema.default(null),
          limit: z.int().min(1).max(500).default(200),
        }),
      )
      .output(z.object({ conversations: z.array(conversationSummarySchema), cursor: cursorSchema })),
    create: base.input(conversationPatchSchema).output(conversationSchema),
    get: base.input(conversationRef).output(conversationSchema),
    update: base.input(conversationRef.extend({ patch: conversationPatchSchema })).output(conversationSchema),
    /** Puts it aside; `restore` brings it back until it is purged, a month later. */
    remove: base.input(conversationRef).output(done),
    restore: base.input(conversationRef).output(conversationSchema),
    /** Puts all aside, archived ones too; `removedAt` brings back just these. */
    removeAll: base.output(counted.extend({ removedAt: timeSchema })),
    /** How many can still be brought back. */
    deleted: base.output(counted),
    /** Brings back those that were put aside at that time; null: all. */
    restoreAll: base.input(z.object({ removedAt: timeSchema.nullable() })).output(counted),
    /** Removes for good what was put aside; ends when that is done. */
    purge: base.output(counted),
  },
  folders: {
    create: base.input(folderSchema.omit({ id: true })).output(folderSchema),
    rename: base.input(folderSchema).output(folderSchema),
    /** Its conversations stay, without a folder. */
    remove: base.input(z.object({ folderId: idSchema })).output(done),
  },
  presets: {
    create: base.input(presetSchema.omit({ id: true })).output(presetSchema),
    update: base.input(presetSchema).output(presetSchema),
    remove: base.input(z.object({ presetId: idSchema })).output(done),
  },
  messages: {
    /** The branch in view, from its end backwards: `limit` messages before `before` (absent: the last ones), oldest first. */
    path: base
      .input(
        conversationRef.extend({
          before: idSchema.optional(),
          limit: z.int().min(1).max(1000).default(100),
        }),
      )
      .output(z.object({ messages: z.array(pathMessageSchema), hasMore: z.boolean() })),
    /** Shows the branch that this message lies on, down to its newest end. */
    select: base.input(messageRef).output(conversationSchema),
    feedback: base.input(messageRef.extend({ feedback: feedbackSchema })).output(messageSchema),
    attachment: base.input(messageRef.extend({ index: z.int().nonnegative() })).output(attachmentSchema),
  },
  chat: {
    /** A new user message under `parentId` (null: as a first message) and a reply to it. Editing is sending under the same parent. */
    send: base
      .input(
        conversationRef.extend({
          parentId: idSchema.nullable(),
          text: z.string(),
          attachments: z.array(attachmentSchema).max(20).default([]),
        }),
      )
      .output(startedReply.extend({ message: messageSchema })),
    /** Another reply beside this one. */
    regenerate: base.input(messageRef).output(startedReply),
    /** Writes on where this reply ended. */
    continue: base.input(messageRef).output(startedReply),
    /** Stops a reply that waits or streams; what it has said stays. */
    stop: base.input(messageRef).output(done),
    /** Length of a text in tokens of a model, for a conversation that may not have begun; null while it is not loaded. */
    countTokens: base
      .input(z.object({ modelId: idSchema, text: z.string() }))
      .output(z.object({ tokens: z.int().nullable() })),
  },
  models: {
    add: base
      .input(z.union([z.object({ path: z.string().min(1) }), z.object({ uploadId })]))
      .output(modelSchema),
    /** Forgets it; the file stays where it is. */
    remove: base.input(z.object({ modelId: idSchema })).output(done),
    rename: base.input(z.object({ modelId: idSchema, name: z.string().min(1).max(200) })).output(modelSchema),
    details: base.input(z.object({ modelId: idSchema })).output(modelDetailsSchema),
    configure: base
      .input(z.object({ modelId: idSchema, loadSettings: loadSettingsSchema }))
      .output(modelSchema),
    /** Loads it ahead of the first message; ends when it is ready. */
    load: base.input(z.object({ modelId: idSchema })).output(engineStatusSchema),
    /** Stops a load, or frees the model's memory. */
    unload: base.output(engineStatusSchema),
    /** Whether it fits into this machine, and how fast it will be. `training`: also for being taught, which takes some seconds more. */
    fit: base
      .input(
        z.object({
          modelId: idSchema,
          contextSize: z.int().min(64).max(10_000_000).optional(),
          training: z.boolean().default(false),
        }),
      )
      .output(fitSchema),
  },
  library: {
    /** Looks through a folder and watches it; what is in it is in the library from then on. */
    addFolder: base.input(pathRef).output(libraryStateSchema),
    /** Its models leave the library with it; their files stay. They come back, as they were, when it is added again. */
    removeFolder: base.input(z.object({ folderId: idSchema })).output(libraryStateSchema),
    /** Looks through all folders now. */
    rescan: base.output(libraryStateSchema),
    tag: base.input(modelRef.extend({ tags: z.array(tagSchema).max(20) })).output(modelSchema),
    /**
     * Moves a model's files in Puna's own folders to the system's trash and forgets it; `forGood` removes them. Files elsewhere are never
     * touched.
     */
    delete: base.input(modelRef.extend({ forGood: z.boolean().default(false) })).output(done),
    /** Reads all files of a model and compares them with what is known of them. Ends when the caller leaves. */
    verify: base.input(modelRef).output(eventIterator(verifyProgressSchema)),
  },
  hub: {
    /** Repositories with GGUF files, most downloaded first, a page at a time. `from`: `next` of the page before. */
    search: base
      .input(z.object({ words: z.string().max(500), from: cursorSchema.default(null) }))
      .output(z.object({ models: z.array(hubModelSchema), next: cursorSchema })),
    /** Everything about a repository and what can be downloaded of it. Also takes its address as people copy it. */
    repository: base.input(z.object({ id: z.string().min(1).max(500) })).output(hubRepositorySchema),
    /** Models that are worth a try, smallest first. */
    recommended: base.output(z.array(recommendedModelSchema)),
    settings: base.output(hubSettingsNowSchema),
    configure: base.input(hubSettingsSchema.partial()).output(hubSettingsNowSchema),
    /** Keeps a token of the hub where nobody else can read it; null: forgets it. */
    setToken: base.input(z.object({ token: z.string().max(1000).nullable() })).output(hubSettingsNowSchema),
  },
  downloads: {
    /**
     * Puts a download in line; some at a time are at work. What becomes of it arrives as events. One that there is already comes back,
     * and goes on if it was paused or has failed. A file may also be named by its quantization or path.
     */
    start: base.input(downloadOrderSchema).output(downloadSchema),
    /** Newest first. */
    list: base.output(z.array(downloadSchema)),
    /** Stops it until `resume`; what has arrived is kept. */
    pause: base.input(downloadRef).output(downloadSchema),
    /** Puts one that was paused or has failed in line again; it goes on where it was. */
    resume: base.input(downloadRef).output(downloadSchema),
    /** Takes it off the list. What was begun is removed, what is done stays. */
    remove: base.input(downloadRef).output(done),
  },
  servers: {
    list: base.output(z.array(serverSchema)),
    /**
     * Asks it for its models first: one that cannot be reached, or does not take the key, is not kept. Up to 12 chat models are in Puna's
     * list at once; of more, a person chooses.
     */
    add: base.input(newServerSchema).output(serverSchema),
    /** With another address or key it is asked for its models first; if that fails, nothing changes. */
    update: base.input(serverRef.extend({ patch: serverPatchSchema })).output(serverSchema),
    /** Asks it for its models; what came of that is in what it answers. */
    refresh: base.input(serverRef).output(serverSchema),
    /** Which of its models are in Puna's list. */
    choose: base
      .input(serverRef.extend({ names: z.array(z.string().min(1).max(500)).max(1000) }))
      .output(serverSchema),
    /** Its models leave the list with it, and its key is forgotten. */
    remove: base.input(serverRef).output(done),
  },
  training: {
    /** Puts a run in line; one at a time is at work. What becomes of it arrives as events. */
    start: base.input(trainingOrderSchema).output(trainingRunSchema),
    /** Holds the run that is at work before its next step; its memory stays taken. */
    pause: base.input(runRef).output(trainingRunSchema),
    /** Lets a paused run go on, or puts one that was stopped or failed in line again. */
    resume: base.input(runRef).output(trainingRunSchema),
    /** Stops a run and keeps what was learnt; ends when that is saved. */
    cancel: base.input(runRef).output(trainingRunSchema),
    /** All there ever were, newest first. */
    list: base.output(z.array(trainingRunSchema)),
    /** What Puna would do with a model and datasets, how long that takes and how much memory. `settings`: those that the person has set. */
    suggest: base
      .input(
        z.object({
          modelId: idSchema,
          datasetIds: z.array(idSchema).min(1).max(100),
          settings: trainingSettingsSchema.partial().default({}),
        }),
      )
      .output(suggestionSchema),
    /** Takes a run off the list and removes what it has made: its adapter leaves the library and all conversations. */
    remove: base.input(runRef).output(done),
    rename: base.input(runRef.extend({ name: z.string().max(200) })).output(trainingRunSchema),
    /** Has base and adapter answer so many prompts of examples that were not learnt from; they arrive one by one with the run. */
    makePairs: base.input(runRef.extend({ count: z.int().min(1).max(20) })).output(trainingRunSchema),
    choosePair: base
      .input(runRef.extend({ index: z.int().nonnegative(), choice: pairSchema.shape.choice }))
      .output(trainingRunSchema),
    presets: base.output(z.array(trainingPresetSchema)),
    savePreset: base.input(trainingPresetSchema.omit({ id: true })).output(trainingPresetSchema),
    removePreset: base.input(z.object({ presetId: idSchema })).output(done),
  },
  datasets: {
    /** Takes in files that were uploaded as a group; gives the path of the folder, or of a single file. */
    keep: base.input(z.object({ groupId })).output(pathRef),
    /** Removes what `keep` took in, unless a dataset needs it still. Other files are left as they are. */
    forget: base.input(pathRef).output(done),
    /** Says what a file, archive or folder is, and what has to be asked. `dates`: how its dates are written, once that was asked. */
    inspect: base
      .input(pathRef.extend({ dates: z.string().nullable().default(null) }))
      .output(dataSourceSchema),
    /** Makes a dataset of what people have; one at a time is made. What becomes of it arrives as events. */
    import: base.input(importOrderSchema).output(datasetSchema),
    /** Has a model write one. */
    grow: base.input(growOrderSchema).output(datasetSchema),
    /** Newest first. */
    list: base.output(z.array(datasetSchema)),
    /** Stops making one. What a model wrote so far stays, what was read does not. */
    cancel: base.input(datasetRef).output(datasetSchema),
    /** Makes one that was stopped or failed: what a model writes goes on, what is read begins anew. */
    resume: base.input(datasetRef).output(datasetSchema),
    /** Removes it; the files that it was made of stay. Runs that learnt from it keep their copies. */
    remove: base.input(datasetRef).output(done),
    rename: base.input(datasetRef.extend({ name: z.string().max(200) })).output(datasetSchema),
    /** A person has looked at what a model wrote: now it can be learnt from. */
    approve: base.input(datasetRef).output(datasetSchema),
    /** Some examples in order, of those that the filter finds. */
    page: base
      .input(
        datasetRef.extend({
          filter: exampleFilterSchema.prefault({}),
          offset: z.int().nonnegative().default(0),
          limit: z.int().min(1).max(500).default(50),
        }),
      )
      .output(z.object({ examples: z.array(exampleRowSchema), total: z.int().nonnegative() })),
    example: base.input(exampleRef).output(exampleSchema),
    /** Excludes examples or takes them back, measures on them or learns from them. */
    change: base
      .input(
        datasetRef.extend({
          choice: exampleChoiceSchema,
          excluded: z.boolean().optional(),
          validation: z.boolean().optional(),
        }),
      )
      .output(datasetSchema),
    /** Gives an example other content. */
    edit: base.input(exampleRef.extend({ content: exampleContentSchema })).output(exampleSchema),
    /** Adds one that a person wrote, at the end. */
    add: base.input(datasetRef.extend({ content: exampleContentSchema })).output(exampleSchema),
    /** Holds another share of the examples back to measure on, drawn anew. */
    split: base.input(datasetRef.extend({ validation: z.number().min(0).max(0.5) })).output(datasetSchema),
    /** Lengths in tokens of a model. */
    measure: base.input(datasetRef.extend({ modelId: idSchema })).output(measuresSchema),
    /** What a model reads of an example with such a context, and what it learns. */
    preview: base
      .input(exampleRef.extend({ modelId: idSchema, context: z.int().min(32).max(1_048_576) }))
      .output(maskPreviewSchema),
    /** All that is not excluded as pieces of one JSONL file. */
    export: base.input(datasetRef).output(eventIterator(z.string())),
  },
  weights: {
    /** Takes in what was uploaded as a group, so that operations can use it; gives the path of the folder, or of a single file. */
    keep: base.input(z.object({ groupId })).output(pathRef),
    /** Removes what `keep` took in, unless an operation needs it still. Other files are left as they are. */
    forget: base.input(pathRef).output(done),
    /** Says what a file or folder is. */
    recognise: base.input(pathRef).output(weightsItemSchema),
    /** Says what an operation will take and give. A name without folders as `out` is one in Puna's own folders, and gets a number where it is taken. */
    plan: base.input(weightsOperationSchema).output(plannedSchema),
    /** Puts an operation in line; one at a time is at work. What becomes of it arrives as events. */
    start: base.input(weightsOperationSchema).output(weightsJobSchema),
    /** Stops an operation and keeps what was begun; ends when it has stopped. */
    cancel: base.input(jobRef).output(weightsJobSchema),
    /** Puts one that was stopped or failed in line again; it goes on where it was. */
    resume: base.input(jobRef).output(weightsJobSchema),
    /** Takes one off the list, and removes what it has begun; a result stays. */
    discard: base.input(jobRef).output(done),
    /** Newest first. */
    list: base.output(z.array(weightsJobSchema)),
    /** What a model, an adapter or other weights were made from. */
    lineage: base.input(pathRef).output(lineageSchema),
  },
  history: {
    /** Words, the last one as a prefix; Korean by two syllables anywhere in a word. Best first. */
    search: base
      .input(
        z.object({
          query: z.string().max(1000),
          cursor: cursorSchema.default(null),
          limit: z.int().min(1).max(100).default(20),
        }),
      )
      .output(z.object({ hits: z.array(searchHitSchema), cursor: cursorSchema })),
    /** One or all conversations as pieces of one text file. Markdown has the branch in view, JSON everything. */
    export: base
      .input(z.object({ conversationId: idSchema.optional(), format: z.enum(['markdown', 'json']) }))
      .output(eventIterator(z.string())),
    /** What `export` wrote as JSON, added to what is there. */
    import: base
      .input(z.object({ uploadId }))
      .output(z.object({ conversations: z.int(), messages: z.int() })),
  },
  uploads: {
    /** `groupId`: it belongs to others, and keeps its name among them, which may have folders in it (`notes/2024/may.md`). */
    begin: base
      .input(
        z.object({
          name: z.string().min(1).max(4096),
          bytes: z.int().nonnegative(),
          groupId: groupId.optional(),
        }),
      )
      .output(z.object({ uploadId })),
    /** Begins a group of files; its name is that of the folder that they make. */
    beginGroup: base.input(uploadName).output(z.object({ groupId })),
    /** Adds a piece at `offset`, which must be where the last one ended; at most `uploadPieceBytes` long. */
    append: base
      .input(z.object({ uploadId, offset: z.int().nonnegative(), piece: z.instanceof(Blob) }))
      .output(done),
    discard: base.input(z.object({ uploadId })).output(done),
    discardGroup: base.input(z.object({ groupId })).output(done),
  },
};
