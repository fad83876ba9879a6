import {
  type ConversationPatch,
  type EngineStatus,
  type Folder,
  type Model,
  type Preset,
  type PunaEvent,
  type QueueEntry,
  type Settings,
  type SystemInfo,
} from '../../../shared/contract/index.ts';
import { Connection } from '../connection.svelte.ts';
import { tellFailure } from '../failure.ts';
import { setLanguage } from '../i18n.svelte.ts';
import { goTo } from '../router.svelte.ts';
import { ConversationList } from './conversation-list.svelte.ts';
import { OpenConversation } from './open-conversation.svelte.ts';

/** A pause before a connection that broke is opened again, in milliseconds. */
const breath = 300;

/** All that the window knows of the program. State comes whole from `system.state` and then from events. */
export class AppState {
  readonly #connection = new Connection();
  readonly client = this.#connection.client;
  readonly list = new ConversationList(this.client);

  /** Everything below is there. */
  ready = $state(false);
  /** It was ready before and is not now. */
  lost = $state(false);
  info = $state.raw<SystemInfo>();
  settings = $state.raw<Settings>();
  engine = $state.raw<EngineStatus>();
  queue = $state.raw<QueueEntry[]>([]);
  models = $state.raw<Model[]>([]);
  folders = $state.raw<Folder[]>([]);
  presets = $state.raw<Preset[]>([]);
  open = $state.raw<OpenConversation | null>(null);
  /** What a person has chosen for the conversation that begins with their first message. */
  draft = $state.raw<ConversationPatch>({});

  /** What the next message will use, whether the conversation exists yet or not. */
  readonly choice = $derived.by(() => {
    const chosen = this.open ? this.open.conversation : this.draft;
    return {
      systemPrompt: chosen?.systemPrompt ?? this.settings?.systemPrompt ?? '',
      sampling: chosen?.sampling ?? this.settings?.sampling,
      modelId: chosen?.modelId ?? null,
      adapters: chosen?.adapters ?? [],
    };
  });
  /** The model that will answer: the chosen one, the default one, or the first that is there. */
  readonly model = $derived.by(() => {
    const models = this.models.filter(({ kind }) => kind === 'model');
    const wanted = this.choice.modelId ?? this.settings?.modelId;
    return models.find(({ id }) => id === wanted) ?? models.find(({ missing }) => !missing) ?? null;
  });

  /** Connects and follows what happens, for as long as the page lives. */
  async run(): Promise<never> {
    for (;;) {
      try {
        await this.#connection.open();
        await this.#follow(this.#connection.closed);
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
    if (this.open?.id === conversationId) return;
    const opening = new OpenConversation(conversationId, this.client);
    this.open = opening;
    try {
      await opening.reload();
    } catch (thrown) {
      if (this.open !== opening) return;
      this.open = null;
      goTo({ page: 'chat', conversationId: null });
      tellFailure(thrown);
    }
  }

  /** Changes title, prompt, sampling, model or adapters of the conversation in view, also of one that has not begun. */
  async change(patch: ConversationPatch): Promise<void> {
    const { open } = this;
    if (!open) {
      this.draft = { ...this.draft, ...patch };
      return;
    }
    if (open.conversation) open.conversation = { ...open.conversation, ...patch } as typeof open.conversation;
    await this.client.conversations.update({ conversationId: open.id, patch });
  }

  /** The conversation in view; a new one is made of the draft. */
  async begin(): Promise<OpenConversation> {
    if (this.open) return this.open;
    const conversation = await this.client.conversations.create({
      ...this.draft,
      folderId: this.list.folderId,
    });
    const begun = new OpenConversation(conversation.id, this.client);
    begun.conversation = conversation;
    this.draft = {};
    this.open = begun;
    goTo({ page: 'chat', conversationId: conversation.id });
    return begun;
  }

  async updateSettings(patch: Partial<Settings>): Promise<void> {
    this.#useSettings(await this.client.settings.update(patch));
  }

  async #follow(closed: AbortSignal): Promise<void> {
    // First the events, then the state: nothing that happens in between is missed.
    const events = await this.client.system.events(undefined, { signal: closed });
    const [info, state] = await Promise.all([this.client.system.info(), this.client.system.state()]);
    Object.assign(this, { info, engine: state.engine, queue: state.queue, models: state.models });
    Object.assign(this, { folders: state.folders, presets: state.presets });
    this.#useSettings(state.settings);
    await Promise.all([this.list.reload(), this.open?.reload()]);
    this.ready = true;
    this.lost = false;
    for await (const event of events) this.#apply(event);
  }

  #apply(event: PunaEvent): void {
    this.open?.apply(event);
    switch (event.type) {
      case 'conversation':
        return this.list.put(event.conversation);
      case 'conversation-removed':
        this.list.remove(event.conversationId);
        if (this.open?.id === event.conversationId) goTo({ page: 'chat', conversationId: null });
        return;
      case 'conversations-reset':
        void this.list.reload().catch(tellFailure);
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
      case 'folders':
        this.folders = event.folders;
        return;
      case 'presets':
        this.presets = event.presets;
        return;
      case 'settings':
        return this.#useSettings(event.settings);
    }
  }

  #useSettings(settings: Settings): void {
    this.settings = settings;
    setLanguage(settings.language);
    const { theme } = settings;
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

export const app = new AppState();
