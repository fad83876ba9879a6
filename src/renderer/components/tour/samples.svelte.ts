import type { Model, Samples } from '../../../shared/contract/index.ts';
import { locale } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** A text in each language that Puna speaks. */
export type InBothLanguages = Samples['questions']['chat'][number];

/** All that the tour needs. */
export interface TourSamples {
  starter: Model;
  chats: NonNullable<Samples['chats']>;
  delta: NonNullable<Samples['delta']>;
  questions: Samples['questions'];
}

/** What comes with Puna to begin with, as far as it is there. */
class SampleStore {
  #files = $state.raw<Samples | null>(null);

  readonly #complete = $derived.by(() => {
    if (!this.#files) return null;
    const { chats, delta, questions } = this.#files;
    const some = [questions.chat, questions.taught, questions.delta].every(({ length }) => length > 0);
    return chats && delta && some ? { chats, delta, questions } : null;
  });

  /** The starter model, while the library has it. */
  readonly starter = $derived(
    app.chatModels.find(({ origin, missing }) => origin === 'starter' && !missing) ?? null,
  );

  /** Null where something is missing: then there is no tour. */
  readonly all = $derived.by((): TourSamples | null => {
    const { starter } = this;
    return starter && this.#complete ? { starter, ...this.#complete } : null;
  });

  /** Whether the tour can be begun: a starter model that was taken off the list comes back by that. */
  get canBegin(): boolean {
    return this.#complete !== null;
  }

  /** What the starter model can be asked, in the person's language. */
  readonly questions = $derived(this.#files?.questions.chat.map((text) => text[locale()]) ?? []);

  /** Whether the model that answers is the one that comes with Puna, as it came. */
  get isInView(): boolean {
    return this.starter !== null && app.model?.id === this.starter.id && app.choice.adapters.length === 0;
  }

  async load(): Promise<void> {
    this.#files = await app.client.samples.get();
  }
}

export const samples = new SampleStore();
