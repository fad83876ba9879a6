import { SvelteSet } from 'svelte/reactivity';
import type {
  ConversationPatch,
  EngineStatus,
  Folder,
  LibraryState,
  Model,
  Preset,
  PunaEvent,
  QueueEntry,
  Settings,
  SystemInfo,
} from '../../../shared/contract/index.ts';
import { answeringModel } from '../../../shared/answering-model.ts';
import { defaultSampling, literalSampling } from '../../../shared/contract/default-sampling.ts';
import { Connection } from '../connection.svelte.ts';
import { isGone, tellFailure } from '../failure.ts';
import { setLanguage } from '../i18n.svelte.ts';
import { tellNotice } from '../notice.ts';
import { currentRoute, goTo } from '../router.svelte.ts';
import { useTheme } from '../theme.ts';
import { ConversationList } from './conversation-list.svelte.ts';
import { Drafts } from './drafts.ts';
import { OpenConversation } from './open-conversation.svelte.ts';
import { Datasets } from './datasets.svelte.ts';
import { Downloads } from './downloads.svelte.ts';
import { Servers } from './servers.svelte.ts';
import { TrainingRuns } from './training-runs.svelte.ts';
import { WeightsJobs } from './weights-jobs.svelte.ts';

/** A pause before a connection that broke is opened again, in milliseconds. */
const breath = 300;
/** Failed tries after which it is more than a hiccup: the program has ended, or does not let this browser in any more. */
const triesBeforeGone = 4;

/** All that the window knows of the program. State comes whole from `system.state` and then from events. */
export class AppState {
  readonly #connection = new Connection();
  readonly client = this.#connection.client;
  readonly list = new ConversationList(this.client);
  readonly weights = new WeightsJobs(this.client);
  readonly datasets = new Datasets(this.client);
  readonly training = new TrainingRuns(this.client);
  readonly downloads = new Downloads(this.client);
  readonly servers = new Servers(this.client);

  /** Everything below is there. */
  ready = $state(false);
  /** It was ready before and is not now. */
  lost = $state(false);
  info = $state.raw<SystemInfo>();
  settings = $state.raw<Settings>();
  engine = $state.raw<EngineStatus>();
  queue = $state.raw<QueueEntry[]>([]);
  models = $state.raw<Model[]>([]);
  /** Folders that models come from, and what is in them beside models and adapters. */
  library = $state.raw<LibraryState>({ folders: [], downloaded: [], weights: [], reading: false });
  /** Otherwise what Puna keeps may be lost with its end. */
  dataFolderIsThere = $state(true);
  folders = $state.raw<Folder[]>([]);
  presets = $state.raw<Preset[]>([]);
  open = $state.raw<OpenConversation | null>(null);
  /** What a person has chosen for the conversation that begins with their first message. */
  draft = $state.raw<ConversationPatch>({});
  /** What was written and not sent. */
  readonly drafts = new Drafts();
  /** Conversations with a reply that ended while another one was in view. */
  readonly unread = new SvelteSet<number>();
  /** Models and folders that are about to be removed, while that can still be undone. */
  readonly leaving = { models: new SvelteSet<number>(), folders: new SvelteSet<number>() };

  readonly #chosen = $derived(this.open ? this.open.conversation : this.draft);
  /** What the next message will use, whether the conversation exists yet or not. */
  readonly choice = $derived.by(() => {
    const chosen = this.#chosen;
    return {
      systemPrompt: chosen?.systemPrompt ?? this.settings?.systemPrompt ?? '',
      sampling: chosen?.sampling ?? this.#usualSampling,
      modelId: chosen?.modelId ?? null,
      adapters: chosen?.adapters ?? [],
    };
  });
  readonly chatModels = $derived(this.#present('model'));
  /** Those of servers: what a person has chosen of them. */
  readonly remoteModels = $derived(this.#present('remote'));
  readonly adapters = $derived(this.#present('adapter'));
  /** Hugging Face folders. */
  readonly weightsFolders = $derived(this.library.weights.filter(({ id }) => !this.leaving.models.has(id)));
  readonly shownFolders = $derived(this.folders.filter(({ id }) => !this.leaving.folders.has(id)));
  readonly #wantedId = $derived(this.#chosen?.modelId ?? this.settings?.modelId);
  /** Of the models on this computer: the chosen one, the default one, or one that is there. */
  readonly localModel = $derived(answeringModel(this.chatModels, this.#wantedId) ?? null);
  /** The model that will answer. One of a server only where a person has chosen it. */
  readonly model = $derived(
    answeringModel([...this.chatModels, ...this.remoteModels], this.#wantedId) ?? null,
  );

  /** Of new conversations: a person's own; otherwise it is another one for the starter model. */
  readonly #usualSampling = $derived.by(() => {
    const sampling = this.settings?.sampling;
    const untouched = JSON.stringify(sampling) === JSON.stringify(defaultSampling);
    return untouched && this.model?.origin === 'starter' ? literalSampling : sampling;
  });

  /** The program has been out of reach for a while. */
  get gone(): boolean {
    return this.#connection.failures >= triesBeforeGone;
  }

  /** Connects and follows what happens, for as long as the page lives. */
  async run(): Promise<never> {
    for (;;) {
      try {
        await this.#connection.open();
        await this.#follow();
      } catch (thrown) {
        if (!this.#connection.closed.aborted) console.error(thrown);
      }
      this.lost = this.ready;
      await new Promise((resolve) => setTimeout(resolve, breath));
    }
  }

  /** Shows a conversation, or a new one that does not exist yet. */
  async show(conversationId: number | null): Promise<void> {
    if (conversationId === null) {
      if (this.open) this.draft = {};
      this.open = null;
      return;
    }
    this.unread.delete(conversationId);
    if (this.open?.id === conversationId) return;
    await this.#load(conversationId, (opening) => opening.reload());
  }

  /** Shows a message that a search found. */
  async find(conversationId: number, messageId: number): Promise<void> {
    this.unread.delete(conversationId);
    await this.#load(conversationId, (opening) => opening.find(messageId));
  }

  /** Changes title, prompt, sampling, model or adapters of the conversation in view, also of one that has not begun. */
  async change(patch: ConversationPatch): Promise<void> {
    if (this.open) await this.open.change(patch);
    else this.draft = { ...this.draft, ...patch };
  }

  /** The conversation in view; a new one is made of the draft. */
  async begin(): Promise<OpenConversation> {
    if (this.open) return this.open;
    const { folderId } = this.list;
    const conversation = await this.client.conversations.create({
      ...{ sampling: this.choice.sampling, ...this.draft, folderId },
    });
    this.draft = {};
    this.drafts.begin(conversation.id);
    this.open = OpenConversation.begun(conversation, this.client);
    goTo({ page: 'chat', conversationId: conversation.id });
    return this.open;
  }

  async updateSettings(patch: Partial<Settings>): Promise<void> {
    this.#useSettings(await this.client.settings.update(patch));
  }

  async #load(id: number, load: (opening: OpenConversation) => Promise<void>): Promise<void> {
    const opening = this.open?.id === id ? this.open : new OpenConversation(id, this.client);
    this.open = opening;
    goTo({ page: 'chat', conversationId: id });
    try {
      await load(opening);
    } catch (thrown) {
      if (this.open !== opening) return;
      if (!opening.loaded) goTo({ page: 'chat', conversationId: null });
      tellFailure(thrown);
    }
  }

  /** The conversation in view may be among many that went. */
  async #leaveIfGone(): Promise<void> {
    const { open } = this;
    try {
      await open?.reload();
    } catch (thrown) {
      if (!isGone(thrown) || this.open !== open) return;
      this.open = null;
      if (currentRoute().page === 'chat') goTo({ page: 'chat', conversationId: null });
    }
  }

  #present(kind: Model['kind']): Model[] {
    return this.models.filter((model) => model.kind === kind && !this.leaving.models.has(model.id));
  }

  async #follow(): Promise<void> {
    // First the events, then the state: nothing that happens in between is missed.
    const events = await this.client.system.events();
    const [info, state] = await Promise.all([this.client.system.info(), this.client.system.state()]);
    this.info = info;
    this.engine = state.engine;
    this.queue = state.queue;
    this.models = state.models;
    this.library = state.library;
    this.dataFolderIsThere = state.dataFolderIsThere;
    this.folders = state.folders;
    this.presets = state.presets;
    this.#useSettings(state.settings);
    await Promise.all([
      ...[this.list.reload(), this.weights.reload(), this.datasets.reload(), this.training.reload()],
      ...[this.downloads.reload(), this.servers.reload()],
      this.open?.reload().catch(tellFailure),
    ]);
    this.ready = true;
    this.lost = false;
    for await (const event of events) this.#apply(event);
  }

  #apply(event: PunaEvent): void {
    this.open?.apply(event);
    switch (event.type) {
      case 'message': {
        const { id, conversationId, status } = event.message;
        const ended = status !== 'waiting' && status !== 'streaming';
        const asked = this.queue.some(({ messageId }) => messageId === id);
        if (ended && asked && this.open?.id !== conversationId) this.unread.add(conversationId);
        return;
      }
      case 'conversation':
        return this.list.put(event.conversation);
      case 'conversation-removed':
        this.list.remove(event.conversationId);
        this.unread.delete(event.conversationId);
        if (this.open?.id === event.conversationId) goTo({ page: 'chat', conversationId: null });
        return;
      case 'conversations-reset':
        this.list.reload().catch(tellFailure);
        void this.#leaveIfGone();
        return;
      case 'engine':
        this.engine = event.status;
        return;
      case 'queue':
        this.queue = event.entries;
        return;
      case 'models':
        this.models = event.models;
        return;
      case 'library':
        this.library = event.library;
        return;
      case 'servers':
        this.servers.items = event.servers;
        return;
      case 'folders':
        this.folders = event.folders;
        return;
      case 'presets':
        this.presets = event.presets;
        return;
      case 'settings':
        return this.#useSettings(event.settings);
      case 'training':
        return this.training.put(event.run);
      case 'training-removed':
        return this.training.remove(event.runId);
      case 'training-presets':
        this.training.presets = event.presets;
        return;
      case 'dataset':
        return this.datasets.put(event.dataset);
      case 'dataset-removed':
        return this.datasets.remove(event.datasetId);
      case 'weights':
        return this.weights.put(event.job);
      case 'weights-removed':
        return this.weights.remove(event.jobId);
      case 'download':
        return this.downloads.put(event.download);
      case 'download-removed':
        return this.downloads.remove(event.downloadId);
      case 'data-folder':
        this.dataFolderIsThere = event.isThere;
        return;
      case 'notice':
        return tellNotice(event.notice);
    }
  }

  #useSettings(settings: Settings): void {
    this.settings = settings;
    setLanguage(settings.language);
    useTheme(settings.theme);
  }
}

export const app = new AppState();
