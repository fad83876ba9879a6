import { implement, ORPCError, type Router } from '@orpc/server';
import { availableParallelism, totalmem } from 'node:os';
import {
  type Conversation,
  contract,
  defaultHubSettings,
  defaultSettings,
  type PunaEvent,
  type Settings,
  type SystemInfo,
  type Updates,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Api } from '../api/index.ts';
import { type Chat, type ModelHost, usedLoadSettings } from '../chat/index.ts';
import type { Collection } from '../collection/index.ts';
import { type Diagnostics, measureDataFolder } from '../diagnostics/index.ts';
import type { Events } from '../events.ts';
import { databaseError, type History } from '../history/index.ts';
import type { Downloads, HubService } from '../hub-service/index.ts';
import {
  browse,
  deleteModelFiles,
  type Library,
  type LibraryFolders,
  type Trash,
  type Verifier,
} from '../library/index.ts';
import type { Machine } from '../machine/index.ts';
import type { Operations } from '../operations/index.ts';
import type { TrainingRuns } from '../runs/index.ts';
import type { Servers } from '../servers/index.ts';
import type { Starter } from '../starter/index.ts';
import type { InPlace, Uploads } from '../storage/index.ts';

/** What the procedures are made of. */
export interface Services {
  history: History;
  library: Library;
  starter: Starter;
  /** The folders that the library is made of. */
  shelves: LibraryFolders;
  verifier: Verifier;
  /** Puna's own folders of models and adapters. */
  ownFolders: readonly string[];
  trash: Trash;
  hub: HubService;
  downloads: Downloads;
  servers: Servers;
  machine: Machine;
  chat: Chat;
  host: ModelHost;
  api: Api;
  training: TrainingRuns;
  operations: Operations;
  collection: Collection;
  uploads: Uploads;
  events: Events;
  info: Pick<SystemInfo, 'version' | 'shell' | 'dataFolder'>;
  diagnostics: Diagnostics;
  /** The database in the data folder. */
  inPlace: InPlace;
  updates: () => Updates;
  /** Shows a folder in the desktop's file manager, where there is one. */
  showFolder: ((path: string) => Promise<void>) | null;
  /** The desktop's file dialog, where there is a desktop. */
  pickModels: (() => Promise<string[]>) | null;
}

export type AppRouter = Router<typeof contract, Record<never, never>>;

/** A failure as the contract declares it. Anything unforeseen is logged, since its sentence alone helps nobody. */
function toContractError(thrown: unknown): unknown {
  if (thrown instanceof ORPCError) return thrown;
  const { code, message, remedy, cause } = PunaError.from(databaseError(thrown));
  if (code === 'internal') console.error(cause ?? thrown);
  return new ORPCError('FAILED', {
    defined: true,
    status: 500,
    message,
    data: { code, remedy },
    cause: thrown,
  });
}

/** The same for what comes piece by piece, which fails after its procedure has returned. */
async function* withContractErrors<Piece>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  try {
    yield* pieces;
  } catch (thrown) {
    throw toContractError(thrown);
  }
}

/** The contract's procedures over the services: each checks nothing itself and decides nothing, it only connects. */
export function createRouter(services: Services): AppRouter {
  const {
    history,
    library,
    starter,
    shelves,
    verifier,
    hub,
    downloads,
    servers,
    machine,
    chat,
    host,
    api,
    training,
    operations,
    collection,
    uploads,
    events,
    info,
    pickModels,
    showFolder,
  } = services;
  const os = implement(contract).use(async ({ next }) => {
    try {
      return await next();
    } catch (thrown) {
      throw toContractError(thrown);
    }
  });

  const tell = (event: PunaEvent) => events.publish(event);
  const tellConversation = (conversation: Conversation): Conversation => {
    tell({ type: 'conversation', conversation });
    return conversation;
  };
  const tellFolders = () => tell({ type: 'folders', folders: history.folders.list() });
  const changeSettings = (patch: Parameters<typeof history.settings.update>[0]): Settings => {
    const settings = history.settings.update(patch);
    tell({ type: 'settings', settings });
    if (patch.showDownloaded !== undefined) {
      library.tell();
      shelves.start();
    }
    return settings;
  };
  const tellPresets = () => tell({ type: 'presets', presets: history.presets.list() });

  return os.router({
    system: {
      info: os.system.info.handler(() => ({
        ...info,
        platform: `${process.platform} ${process.arch}`,
        memory: totalmem(),
        cores: availableParallelism(),
      })),
      events: os.system.events.handler(({ signal }) => events.subscribe(signal)),
      state: os.system.state.handler(async () => ({
        engine: host.status,
        queue: chat.queue,
        models: await library.listAll(),
        folders: history.folders.list(),
        presets: history.presets.list(),
        settings: history.settings.get(),
        library: await shelves.state(),
        dataFolderIsThere: services.inPlace.isThere,
      })),
      machine: os.system.machine.handler(({ input }) => machine.facts(input)),
      browse: os.system.browse.handler(({ input: { path, show } }) => browse(path, { show })),
      pickModels: os.system.pickModels.handler(() => pickModels?.() ?? null),
      updates: os.system.updates.handler(() => services.updates()),
      dataFolder: os.system.dataFolder.handler(async () => ({
        ...(await measureDataFolder(info.dataFolder)),
        canOpen: showFolder !== null,
      })),
      openDataFolder: os.system.openDataFolder.handler(() => showFolder?.(info.dataFolder)),
      diagnostics: os.system.diagnostics.handler(({ input }) => services.diagnostics.gather(input)),
    },
    settings: {
      update: os.settings.update.handler(async ({ input }) => {
        if (input.modelId != null) await library.refuseAsDefault(input.modelId);
        // Before it begins: its first step is to ask the starter model.
        if (input.tour === 'chat') await starter.bringBack();
        return changeSettings(input);
      }),
      reset: os.settings.reset.handler(async () => {
        const { tour } = history.settings.get();
        await api.configure(defaultSettings.api);
        await hub.configure(defaultHubSettings);
        return changeSettings({ ...defaultSettings, tour });
      }),
    },
    samples: {
      get: os.samples.get.handler(() => starter.samples()),
    },
    api: {
      status: os.api.status.handler(() => api.status),
      configure: os.api.configure.handler(async ({ input }) => {
        const status = await api.configure(input);
        tell({ type: 'settings', settings: history.settings.get() });
        return status;
      }),
    },
    conversations: {
      list: os.conversations.list.handler(({ input }) => history.conversations.list(input)),
      create: os.conversations.create.handler(({ input }) =>
        tellConversation(history.conversations.create(input)),
      ),
      get: os.conversations.get.handler(({ input }) => history.conversations.get(input.conversationId)),
      update: os.conversations.update.handler(({ input }) =>
        tellConversation(history.conversations.update(input.conversationId, input.patch)),
      ),
      remove: os.conversations.remove.handler(({ input: { conversationId } }) => {
        chat.stopConversation(conversationId);
        history.conversations.remove(conversationId);
        tell({ type: 'conversation-removed', conversationId });
      }),
      restore: os.conversations.restore.handler(({ input }) =>
        tellConversation(history.conversations.restore(input.conversationId)),
      ),
      removeAll: os.conversations.removeAll.handler(() => {
        for (const { conversationId } of chat.queue) chat.stopConversation(conversationId);
        const removed = history.deleted.addAll();
        tell({ type: 'conversations-reset' });
        return removed;
      }),
      deleted: os.conversations.deleted.handler(() => ({ count: history.deleted.count })),
      restoreAll: os.conversations.restoreAll.handler(({ input }) => {
        const count = history.deleted.restore(input.removedAt);
        tell({ type: 'conversations-reset' });
        return { count };
      }),
      purge: os.conversations.purge.handler(async () => ({ count: await history.deleted.purge() })),
    },
    folders: {
      create: os.folders.create.handler(({ input }) => {
        const folder = history.folders.create(input);
        tellFolders();
        return folder;
      }),
      rename: os.folders.rename.handler(({ input }) => {
        const folder = history.folders.rename(input);
        tellFolders();
        return folder;
      }),
      remove: os.folders.remove.handler(({ input }) => {
        history.folders.remove(input.folderId);
        tellFolders();
        tell({ type: 'conversations-reset' });
      }),
    },
    presets: {
      create: os.presets.create.handler(({ input }) => {
        const preset = history.presets.create(input);
        tellPresets();
        return preset;
      }),
      update: os.presets.update.handler(({ input }) => {
        const preset = history.presets.update(input);
        tellPresets();
        return preset;
      }),
      remove: os.presets.remove.handler(({ input }) => {
        history.presets.remove(input.presetId);
        tellPresets();
      }),
    },
    messages: {
      path: os.messages.path.handler(({ input }) => {
        chat.flush();
        return history.messages.path(input);
      }),
      select: os.messages.select.handler(({ input }) =>
        tellConversation(history.messages.select(input.messageId)),
      ),
      feedback: os.messages.feedback.handler(({ input }) => {
        const message = history.messages.setFeedback(input.messageId, input.feedback);
        tell({ type: 'message', message });
        return message;
      }),
      attachment: os.messages.attachment.handler(({ input }) =>
        history.messages.attachment(input.messageId, input.index),
      ),
    },
    chat: {
      send: os.chat.send.handler(({ input }) => chat.send(input)),
      regenerate: os.chat.regenerate.handler(({ input }) => chat.regenerate(input.messageId)),
      continue: os.chat.continue.handler(({ input }) => chat.continue(input.messageId)),
      stop: os.chat.stop.handler(({ input }) => chat.stop(input.messageId)),
      countTokens: os.chat.countTokens.handler(async ({ input }) => ({
        tokens: await chat.countTokens(input.modelId, input.text),
      })),
    },
    models: {
      add: os.models.add.handler(async ({ input }) => {
        if ('path' in input) return library.add(input);
        return library.add(uploads.take(input.uploadId));
      }),
      remove: os.models.remove.handler(async ({ input }) => {
        if (host.status.modelId === input.modelId) await host.unload();
        library.remove(input.modelId);
        servers.tell();
      }),
      rename: os.models.rename.handler(({ input }) => library.rename(input.modelId, input.name)),
      details: os.models.details.handler(({ input }) => library.details(input.modelId)),
      configure: os.models.configure.handler(({ input }) =>
        library.configure(input.modelId, input.loadSettings),
      ),
      load: os.models.load.handler(async ({ input }) => {
        await host.load(await library.get(input.modelId));
        return host.status;
      }),
      unload: os.models.unload.handler(() => host.unload()),
      fit: os.models.fit.handler(async ({ input: { modelId, ...options } }) => {
        const { path, loadSettings } = await library.get(modelId);
        const used = usedLoadSettings(loadSettings, history.settings.get().computing);
        return machine.fit({ path, loadSettings: used }, options);
      }),
    },
    hub: {
      search: os.hub.search.handler(({ input, signal }) => hub.search(input, signal)),
      repository: os.hub.repository.handler(({ input, signal }) => hub.repository(input.id, signal)),
      recommended: os.hub.recommended.handler(() => hub.recommended()),
      settings: os.hub.settings.handler(() => hub.settings()),
      configure: os.hub.configure.handler(({ input }) => hub.configure(input)),
      setToken: os.hub.setToken.handler(({ input }) => hub.setToken(input.token)),
    },
    downloads: {
      start: os.downloads.start.handler(({ input, signal }) => downloads.start(input, signal)),
      list: os.downloads.list.handler(() => downloads.list()),
      pause: os.downloads.pause.handler(({ input }) => downloads.pause(input.downloadId)),
      resume: os.downloads.resume.handler(({ input }) => downloads.resume(input.downloadId)),
      remove: os.downloads.remove.handler(({ input }) => downloads.remove(input.downloadId)),
    },
    library: {
      addFolder: os.library.addFolder.handler(({ input }) => shelves.add(input.path)),
      removeFolder: os.library.removeFolder.handler(({ input }) => shelves.remove(input.folderId)),
      rescan: os.library.rescan.handler(async () => {
        await shelves.rescan();
        return shelves.state();
      }),
      tag: os.library.tag.handler(({ input }) => library.tag(input.modelId, input.tags)),
      delete: os.library.delete.handler(async ({ input: { modelId, forGood } }) => {
        const model = await library.item(modelId);
        if (host.status.modelId === modelId) await host.unload();
        await deleteModelFiles(model, {
          ownFolders: services.ownFolders,
          items: [...(await library.list()), ...(await library.weights())].filter(({ missing }) => !missing),
          trash: forGood ? null : services.trash,
        });
        library.remove(modelId);
      }),
      verify: os.library.verify.handler(async function* ({ input, signal }) {
        yield* withContractErrors(verifier.verify(input.modelId, signal));
      }),
    },
    servers: {
      list: os.servers.list.handler(() => servers.list()),
      add: os.servers.add.handler(({ input, signal }) => servers.add(input, signal)),
      update: os.servers.update.handler(({ input, signal }) =>
        servers.update(input.serverId, input.patch, signal),
      ),
      refresh: os.servers.refresh.handler(({ input }) => servers.refresh(input.serverId)),
      choose: os.servers.choose.handler(({ input }) => servers.choose(input.serverId, input.names)),
      remove: os.servers.remove.handler(({ input }) => servers.remove(input.serverId)),
    },
    training: {
      start: os.training.start.handler(({ input }) => training.start(input)),
      pause: os.training.pause.handler(({ input }) => training.pause(input.runId)),
      resume: os.training.resume.handler(({ input }) => training.resume(input.runId)),
      cancel: os.training.cancel.handler(({ input }) => training.cancel(input.runId)),
      list: os.training.list.handler(() => training.list()),
      suggest: os.training.suggest.handler(({ input, signal }) => training.suggest(input, signal)),
      remove: os.training.remove.handler(({ input }) => training.remove(input.runId)),
      rename: os.training.rename.handler(({ input }) => training.rename(input.runId, input.name)),
      makePairs: os.training.makePairs.handler(({ input }) => training.makePairs(input.runId, input.count)),
      choosePair: os.training.choosePair.handler(({ input: { runId, index, choice } }) =>
        training.choosePair(runId, index, choice),
      ),
      presets: os.training.presets.handler(() => training.presets.list()),
      savePreset: os.training.savePreset.handler(({ input }) => training.presets.save(input)),
      removePreset: os.training.removePreset.handler(({ input }) => training.presets.remove(input.presetId)),
    },
    datasets: {
      keep: os.datasets.keep.handler(async ({ input }) => ({ path: await collection.keep(input.groupId) })),
      forget: os.datasets.forget.handler(({ input }) => collection.forget(input.path)),
      inspect: os.datasets.inspect.handler(({ input, signal }) => collection.inspect(input, signal)),
      import: os.datasets.import.handler(({ input }) => collection.start(input)),
      grow: os.datasets.grow.handler(({ input }) => collection.start(input)),
      list: os.datasets.list.handler(() => collection.list()),
      cancel: os.datasets.cancel.handler(({ input }) => collection.cancel(input.datasetId)),
      resume: os.datasets.resume.handler(({ input }) => collection.resume(input.datasetId)),
      remove: os.datasets.remove.handler(({ input }) => collection.remove(input.datasetId)),
      rename: os.datasets.rename.handler(({ input }) => collection.rename(input.datasetId, input.name)),
      approve: os.datasets.approve.handler(({ input }) => collection.approve(input.datasetId)),
      page: os.datasets.page.handler(({ input: { datasetId, ...page } }) => collection.page(datasetId, page)),
      example: os.datasets.example.handler(({ input }) =>
        collection.example(input.datasetId, input.exampleId),
      ),
      change: os.datasets.change.handler(({ input: { datasetId, ...change } }) =>
        collection.change(datasetId, change),
      ),
      edit: os.datasets.edit.handler(({ input }) =>
        collection.edit(input.datasetId, input.exampleId, input.content),
      ),
      add: os.datasets.add.handler(({ input }) => collection.add(input.datasetId, input.content)),
      split: os.datasets.split.handler(({ input }) => collection.split(input.datasetId, input.validation)),
      measure: os.datasets.measure.handler(({ input, signal }) =>
        collection.measure(input.datasetId, input.modelId, signal),
      ),
      preview: os.datasets.preview.handler(({ input }) => collection.preview(input)),
      export: os.datasets.export.handler(async function* ({ input, signal }) {
        yield* withContractErrors(collection.export(input.datasetId, signal));
      }),
    },
    weights: {
      keep: os.weights.keep.handler(async ({ input }) => ({ path: await operations.keep(input.groupId) })),
      forget: os.weights.forget.handler(({ input }) => operations.forget(input.path)),
      recognise: os.weights.recognise.handler(({ input }) => operations.recognise(input.path)),
      plan: os.weights.plan.handler(({ input }) => operations.plan(input)),
      start: os.weights.start.handler(({ input }) => operations.start(input)),
      cancel: os.weights.cancel.handler(({ input }) => operations.cancel(input.jobId)),
      resume: os.weights.resume.handler(({ input }) => operations.resume(input.jobId)),
      discard: os.weights.discard.handler(({ input }) => operations.discard(input.jobId)),
      list: os.weights.list.handler(() => operations.list()),
      lineage: os.weights.lineage.handler(({ input }) => operations.lineage(input.path)),
    },
    history: {
      search: os.history.search.handler(({ input }) => history.search(input)),
      export: os.history.export.handler(async function* ({ input }) {
        yield* withContractErrors(history.exportHistory(input));
      }),
      import: os.history.import.handler(async ({ input }) => {
        const { uploadPath, name } = uploads.take(input.uploadId);
        try {
          return await history.importHistory(uploadPath, { name });
        } finally {
          await uploads.discard(input.uploadId);
          tellFolders();
          tell({ type: 'conversations-reset' });
        }
      }),
    },
    uploads: {
      begin: os.uploads.begin.handler(({ input }) => uploads.begin(input)),
      append: os.uploads.append.handler(async ({ input }) => {
        await uploads.append(input.uploadId, input.offset, new Uint8Array(await input.piece.arrayBuffer()));
      }),
      discard: os.uploads.discard.handler(({ input }) => uploads.discard(input.uploadId)),
      beginGroup: os.uploads.beginGroup.handler(({ input }) => uploads.beginGroup(input)),
      discardGroup: os.uploads.discardGroup.handler(({ input }) => uploads.discardGroup(input.groupId)),
    },
  });
}
