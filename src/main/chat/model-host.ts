import type { Computing, EngineStatus, LoadSettings, Model } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Engine } from '../engine/index.ts';
import type {
  CompletionInput,
  InferenceJobs,
  LoadedModel,
  ReplyEvent,
  ReplyInput,
  ReplyResult,
  Turn,
} from '../inference/messages.ts';
import { usedLoadSettings } from './load-settings.ts';

const stopped: EngineStatus = {
  state: 'stopped',
  modelId: null,
  progress: null,
  failure: null,
  device: null,
  contextSize: null,
};

/** What else may hold the memory that a model would take. */
export interface MemoryRival {
  /** Throws where it is known that the model has no place beside it. */
  check(model: Model): void;
  /** The failure of loading or using a model, which the rival may be the reason for. */
  explain(model: Model, error: PunaError): PunaError;
}

export interface ModelHostOptions {
  engine: Engine<InferenceJobs>;
  rival: MemoryRival;
  /** What holds for models whose own settings leave it open; asked whenever one is loaded. */
  computing: () => Computing;
  onStatus: (status: EngineStatus) => void;
  /** Told what came of loading a model; null: it is loaded. */
  onTried: (model: Model, error: PunaError | null) => void;
}

/** Knows which model the inference engine holds, and brings in the one that is needed. */
export class ModelHost {
  readonly #engine: Engine<InferenceJobs>;
  readonly #rival: MemoryRival;
  readonly #computing: () => Computing;
  readonly #onStatus: (status: EngineStatus) => void;
  readonly #onTried: ModelHostOptions['onTried'];
  #status: EngineStatus = stopped;
  /** What is loaded or loading: the model as it was then, to notice another path or other settings. */
  #current: {
    model: Model;
    key: string;
    controller: AbortController;
    loaded: Promise<LoadedModel>;
  } | null = null;

  constructor({ engine, rival, computing, onStatus, onTried }: ModelHostOptions) {
    this.#engine = engine;
    this.#rival = rival;
    this.#computing = computing;
    this.#onStatus = onStatus;
    this.#onTried = onTried;
    engine.onExit((reason) => this.#engineGone(reason));
  }

  get status(): EngineStatus {
    return this.#status;
  }

  /** What is loaded or loading, as it was when that began. */
  get model(): Model | null {
    return this.#current?.model ?? null;
  }

  /**
   * Loads the model unless it is there already. Errors: what the engine says of the file (`not-gguf`, `file-damaged`,
   * `unsupported-model`, `out-of-memory`…), `engine-died`, `cancelled`.
   */
  async load(model: Model, signal?: AbortSignal): Promise<LoadedModel> {
    const settings = usedLoadSettings(model.loadSettings, this.#computing());
    const key = JSON.stringify([model.path, settings]);
    if (this.#current?.key !== key) {
      this.#rival.check(model);
      this.#start(model, settings, key);
    }
    const current = this.#current;
    if (!current) throw new PunaError('cancelled', 'Loading was cancelled.');
    const cancel = () => current.controller.abort();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await current.loaded;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Frees the model's memory, or stops its loading. */
  async unload(): Promise<EngineStatus> {
    this.#current?.controller.abort();
    this.#current = null;
    if (this.#engine.running) await this.#engine.run('unload', null);
    // The engine finishes a reply before it unloads; a load that was asked for meanwhile has the last word.
    if (!this.#current) this.#set(stopped);
    return this.#status;
  }

  /** Frees the model's memory for something else, once it is loaded and has ended the reply that it is wanted for. */
  async makeRoom(): Promise<void> {
    await this.#current?.loaded.catch(() => undefined);
    await this.unload();
  }

  /** Makes a reply with the model that is loaded. */
  reply(
    input: ReplyInput,
    options: { signal: AbortSignal; onEvent: (event: ReplyEvent) => void },
  ): Promise<ReplyResult> {
    return this.#explained(this.#engine.run('reply', input, options));
  }

  /** Writes a text beside others, with the model that is loaded. */
  complete(
    input: CompletionInput,
    options: { signal: AbortSignal; onEvent: (event: ReplyEvent) => void },
  ): Promise<ReplyResult> {
    return this.#explained(this.#engine.run('complete', input, options));
  }

  /** Texts as vectors, by the model that is loaded. */
  embed(
    input: InferenceJobs['embed']['input'],
    options: { signal: AbortSignal },
  ): Promise<InferenceJobs['embed']['result']> {
    return this.#explained(this.#engine.run('embed', input, options));
  }

  async title(turns: Turn[], signal: AbortSignal): Promise<string> {
    return (await this.#engine.run('title', { turns }, { signal })).title;
  }

  /** Null while the model is not the one that is loaded. */
  async countTokens(modelId: number, text: string): Promise<number | null> {
    if (this.#status.state !== 'ready' || this.#status.modelId !== modelId) return null;
    return (await this.#engine.run('countTokens', { text })).tokens;
  }

  async close(): Promise<void> {
    this.#current?.controller.abort();
    await this.#engine.stop();
  }

  /** Contexts are made when they are needed. */
  #explained<Result>(job: Promise<Result>): Promise<Result> {
    return job.catch((thrown: unknown) => {
      throw this.model ? this.#rival.explain(this.model, PunaError.from(thrown)) : thrown;
    });
  }

  #start(model: Model, settings: LoadSettings, key: string): void {
    this.#current?.controller.abort();
    const controller = new AbortController();
    const loaded = this.#load(model, settings, controller.signal);
    // Whoever waits for it gets the error too; without this a load that nobody waits for would be an unhandled rejection.
    loaded.catch(() => undefined);
    this.#current = { model, key, controller, loaded };
  }

  async #load(model: Model, settings: LoadSettings, signal: AbortSignal): Promise<LoadedModel> {
    this.#set({ ...stopped, state: 'loading', modelId: model.id, progress: 0 });
    try {
      const input = { path: model.path, settings };
      const loaded = await this.#engine.run('load', input, {
        signal,
        onEvent: ({ progress }) => {
          if (!signal.aborted) this.#set({ ...this.#status, progress });
        },
      });
      this.#onTried(model, null);
      if (!signal.aborted) {
        const { device, contextSize } = loaded;
        this.#set({ ...stopped, state: 'ready', modelId: model.id, device, contextSize });
      }
      return loaded;
    } catch (thrown) {
      const error = this.#rival.explain(model, PunaError.from(thrown));
      this.#onTried(model, error);
      // Another load or an unload may have taken its place meanwhile; then its status stands.
      if (this.#current?.controller.signal === signal) {
        this.#current = null;
        this.#set(error.code === 'cancelled' ? stopped : failed(model.id, error));
      }
      throw error;
    }
  }

  #engineGone(reason: string | null): void {
    if (!this.#current) return;
    const modelId = this.#status.modelId;
    this.#current = null;
    const isWanted = reason === null;
    this.#set(isWanted ? stopped : failed(modelId, new PunaError('engine-died', reason)));
  }

  #set(status: EngineStatus): void {
    this.#status = status;
    this.#onStatus(status);
  }
}

function failed(modelId: number | null, { code, message, remedy }: PunaError): EngineStatus {
  return { ...stopped, state: 'failed', modelId, failure: { code, message, remedy } };
}
