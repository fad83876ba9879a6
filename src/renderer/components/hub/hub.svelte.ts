import type { HubSettings, HubSettingsNow, RecommendedModel } from '../../../shared/contract/index.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** The hub as this window knows it: how it is reached, and what is recommended. Asked for when something wants to know it. */
class Hub {
  settings = $state.raw<HubSettingsNow | null>(null);
  recommended = $state.raw<RecommendedModel[] | null>(null);

  /** Errors are those of the connection to Puna alone: both are known without a network. */
  async load(): Promise<void> {
    [this.settings, this.recommended] = await Promise.all([
      app.client.hub.settings(),
      app.client.hub.recommended(),
    ]);
  }

  /** The hub's name, as people know it: `huggingface.co`. */
  get host(): string {
    return URL.parse(this.settings?.address ?? '')?.host ?? '';
  }

  async configure(patch: Partial<HubSettings>): Promise<void> {
    this.settings = await app.client.hub.configure(patch);
  }

  /** Null forgets it. */
  async setToken(token: string | null): Promise<void> {
    this.settings = await app.client.hub.setToken({ token });
  }
}

export const hub = new Hub();
