import type { ApiStatus } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Chat, ModelHost } from '../chat/index.ts';
import type { History } from '../history/index.ts';
import type { Library } from '../library/index.ts';
import { keptSecret } from '../loopback/index.ts';
import { ApiModels } from './models.ts';
import { type ApiServer, startApiServer } from './server.ts';
import { Turns } from './turns.ts';

export interface ApiOptions {
  history: Pick<History, 'settings'>;
  library: Library;
  host: ModelHost;
  chat: Chat;
  /** Where the key is kept. */
  keyFile: string;
}

/** Puna's models for other programs of this machine: on and off by a setting, or on for as long as this process runs. */
export class Api {
  readonly #options: ApiOptions;
  readonly #models: ApiModels;
  readonly #turns: Turns;
  #server: ApiServer | null = null;
  #error: string | null = null;
  /** The port of one that is on whatever the setting says. */
  #openedPort: number | null = null;
  /** One change after the other. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#models = new ApiModels(options.library);
    const { host, library, chat } = options;
    this.#turns = new Turns({ host, library, chat, background: chat.background });
  }

  /** Errors: those of keeping the key. */
  get status(): ApiStatus {
    const { port } = this.#options.history.settings.get().api;
    return {
      ...{ on: this.#wantedPort !== null, port, error: this.#error },
      address: this.#server && `http://127.0.0.1:${this.#server.port}/v1`,
      key: keptSecret(this.#options.keyFile),
    };
  }

  /** Brings it to what the setting says. Never throws: the status says why it could not be started. */
  async follow(): Promise<void> {
    await this.#change().catch((thrown: unknown) => {
      const { message, remedy } = PunaError.from(thrown);
      this.#error = `${message} ${remedy}`.trim();
    });
  }

  /** Changes the setting and follows it. */
  async configure(patch: { on?: boolean | undefined; port?: number | undefined }): Promise<ApiStatus> {
    const { settings } = this.#options.history;
    const { api } = settings.get();
    settings.update({ api: { on: patch.on ?? api.on, port: patch.port ?? api.port } });
    this.#openedPort = null;
    await this.follow();
    return this.status;
  }

  /** Opens it until Puna ends, whatever the setting says. Undefined: on the port of the setting. Errors: `port-in-use`. */
  async open(port: number | undefined): Promise<ApiStatus> {
    this.#openedPort = port ?? this.#options.history.settings.get().api.port;
    await this.#change();
    return this.status;
  }

  /** Ends what is being written and lets nobody in any more. */
  async close(): Promise<void> {
    await this.#changes.catch(() => undefined);
    await this.#server?.close();
    this.#server = null;
  }

  get #wantedPort(): number | null {
    if (this.#openedPort !== null) return this.#openedPort;
    const { on, port } = this.#options.history.settings.get().api;
    return on ? port : null;
  }

  #change(): Promise<void> {
    const changed = this.#changes.then(async () => {
      const port = this.#wantedPort;
      if (this.#server && this.#server.wanted === port) return;
      this.#error = null;
      await this.#server?.close();
      this.#server = null;
      if (port === null) return;
      const { host, keyFile } = this.#options;
      const services = { models: this.#models, turns: this.#turns, host };
      this.#server = await startApiServer({ ...services, port, key: keptSecret(keyFile) });
    });
    this.#changes = changed.catch(() => undefined);
    return changed;
  }
}
