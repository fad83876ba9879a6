import type { Suggestion, TrainingPreset, TrainingSettings } from '../../../shared/contract/index.ts';
import { defaultTrainingSettings } from '../../../shared/contract/default-training.ts';
import { failureText, type FailureWords } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { repeat } from './repeat.svelte.ts';

/** How long a person may go on choosing before Puna thinks again, in milliseconds. */
const suggestAfter = 300;
/** As many as a run answers; the contract says the same. */
export const mostPrompts = 3;

type Key = keyof TrainingSettings;

/** What a person is putting together: a model, what they have set themselves, and what Puna makes of it. */
export class TeachOrder {
  /** Set by the person; what is absent follows the suggestion. */
  touched = $state.raw<Partial<TrainingSettings>>({});
  prompts = $state<string[]>(Array.from({ length: mostPrompts }, () => ''));
  /** Whether the conversation in view gets what was learnt. */
  joins = $state(true);
  suggestion = $state.raw<Suggestion | null>(null);
  failure = $state.raw<FailureWords | null>(null);
  thinking = $state(false);
  starting = $state(false);
  /** The run whose settings these are. */
  repeated = $state<string | null>(null);
  #modelId = $state<number | null>(null);
  #first = true;

  constructor() {
    const repeated = repeat.take();
    if (!repeated) return;
    this.repeated = repeated.title;
    this.touched = repeated.settings;
    this.#modelId = repeated.modelId;
    this.prompts = this.prompts.map((empty, index) => repeated.prompts[index] ?? empty);
  }

  /** The chosen one, or the one of the chat; only what is on this computer can be taught. */
  readonly model = $derived(app.chatModels.find(({ id }) => id === this.#modelId) ?? app.localModel);
  /** The one in view, which can use it at once; one that a server answers stays with that. */
  readonly conversation = $derived(app.model?.server ? null : (app.open?.conversation ?? null));
  readonly settings = $derived<TrainingSettings>({
    ...defaultTrainingSettings,
    ...this.suggestion?.settings,
    ...this.touched,
  });
  readonly someTouched = $derived(Object.keys(this.touched).length > 0);

  choose(modelId: number): void {
    this.#modelId = modelId;
  }

  set<Name extends Key>(key: Name, value: TrainingSettings[Name]): void {
    this.touched = { ...this.touched, [key]: value };
  }

  isTouched(key: Key): boolean {
    return this.touched[key] !== undefined;
  }

  /** Lets the suggestion hold again. */
  release(key: Key): void {
    this.touched = Object.fromEntries(Object.entries(this.touched).filter(([name]) => name !== key));
  }

  releaseAll(): void {
    this.touched = {};
    this.repeated = null;
  }

  apply(preset: TrainingPreset): void {
    this.touched = preset.settings;
    this.repeated = null;
  }

  /** Asks what Puna would do; whatever was asked before is dropped. Gives what ends it. */
  ask(modelId: number, datasetId: number, settings: Partial<TrainingSettings>): () => void {
    const over = new AbortController();
    const { signal } = over;
    this.thinking = true;
    const timer = setTimeout(
      () => {
        app.client.training.suggest({ modelId, datasetIds: [datasetId], settings }, { signal }).then(
          (suggestion) => !signal.aborted && this.#know(suggestion, null),
          (thrown: unknown) => !signal.aborted && this.#know(null, failureText(thrown)),
        );
      },
      this.#first ? 0 : suggestAfter,
    );
    this.#first = false;
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }

  #know(suggestion: Suggestion | null, failure: TeachOrder['failure']): void {
    this.suggestion = suggestion;
    this.failure = failure;
    this.thinking = false;
  }

  /** Puts the run in line; gives its number, or null where that failed, which `failure` tells. */
  async start(datasetId: number): Promise<number | null> {
    if (!this.model || this.starting) return null;
    this.starting = true;
    const prompts = this.prompts.map((prompt) => prompt.trim()).filter((prompt) => prompt !== '');
    const { settings } = this;
    try {
      const run = await app.client.training.start({
        ...{ modelId: this.model.id, datasetIds: [datasetId], prompts },
        // Who asks wants answers, also where a preset has none.
        settings: {
          ...settings,
          sampleEvery: settings.sampleEvery ?? (prompts.length > 0 ? settings.evaluateEvery : null),
        },
        conversationId: this.joins ? (this.conversation?.id ?? null) : null,
      });
      app.training.put(run);
      return run.id;
    } catch (thrown) {
      this.failure = failureText(thrown);
      return null;
    } finally {
      this.starting = false;
    }
  }
}
