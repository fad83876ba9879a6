import type { Dataset, GrowOrder, Model } from '../../../shared/contract/index.ts';
import { defaultSimilarity } from '../../../shared/default-similarity.ts';
import { failureText, type FailureWords } from '../../lib/failure.ts';
import { whole } from '../../lib/figures.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** What a model writes of nothing but itself. */
export const freeKinds = ['self-instruct', 'self-chat'] as const;
type FreeKind = (typeof freeKinds)[number];

/** As the contract has it. */
export const limits = {
  topic: 1000,
  name: 200,
  count: { min: 1, max: 10_000 },
  exchanges: { min: 1, max: 10 },
  perText: { min: 1, max: 20 },
  similarity: { min: 0.3, max: 1 },
};

export interface DraftSeed {
  instruction: string;
  output: string;
}

/** What a person has chosen that a model shall write, and why it cannot begin. */
export class GrowForm {
  kind = $state<FreeKind>('self-instruct');
  /** Null: the model of the chat. */
  modelId = $state<number | null>(null);
  language = $state<'en' | 'ko'>(locale());
  count = $state(100);
  seedsFrom = $state<'puna' | 'own'>('puna');
  seeds = $state<DraftSeed[]>([{ instruction: '', output: '' }]);
  topicLines = $state('');
  exchanges = $state(3);
  perText = $state(3);
  /** What the person has chosen; null: what is usual for the kind. */
  similarity = $state<number | null>(null);
  starting = $state(false);
  failure = $state.raw<FailureWords | null>(null);

  readonly model: Model | null = $derived(
    app.chatModels.find(({ id }) => id === this.modelId) ?? app.localModel,
  );
  readonly topics = $derived(
    this.topicLines
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
  /** Tasks that are whole. */
  readonly wholeSeeds = $derived(
    this.seeds
      .map(({ instruction, output }) => ({
        instruction: instruction.trim(),
        input: '',
        output: output.trim(),
      }))
      .filter(({ instruction, output }) => instruction !== '' && output !== ''),
  );

  similarityFor(dataset: Dataset | null): number {
    return this.similarity ?? defaultSimilarity[dataset ? 'pairs' : this.kind];
  }

  /** What has to be done before the model can begin to write; empty: nothing. `dataset`: whose texts are asked about. */
  missing(dataset: Dataset | null): string {
    if (!this.model || this.model.missing) return t('grow.waits.model');
    if (dataset) return '';
    if (this.kind === 'self-chat') {
      if (this.topics.length === 0) return t('grow.waits.topics');
      const long = this.topics.some(({ length }) => length > limits.topic);
      return long ? t('grow.waits.topicsLong', { most: whole(limits.topic) }) : '';
    }
    return this.seedsFrom === 'own' && this.wholeSeeds.length === 0 ? t('grow.waits.seeds') : '';
  }

  /** Has the model begin; gives the dataset's number, null where that failed. */
  async start(dataset: Dataset | null): Promise<number | null> {
    if (!this.model || this.starting) return null;
    this.starting = true;
    this.failure = null;
    try {
      const grown = await app.client.datasets.grow(this.#order(dataset, this.model.id));
      app.datasets.put(grown);
      return grown.id;
    } catch (thrown) {
      this.failure = failureText(thrown);
      return null;
    } finally {
      this.starting = false;
    }
  }

  #order(dataset: Dataset | null, modelId: number): GrowOrder {
    const { language, count, exchanges, perText } = this;
    // Whoever orders the same twice wants more, not the same again; the recipe keeps the number.
    const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));
    const common = { modelId, similarity: this.similarityFor(dataset), seed };
    if (dataset) {
      const name = shortened(t('grow.names.pairs', { name: dataset.name }));
      return { ...common, kind: 'pairs', name, datasetId: dataset.id, perText };
    }
    if (this.kind === 'self-chat') {
      const topics = [...this.topics];
      return { ...common, kind: 'self-chat', name: nameOf(topics), topics, exchanges, language };
    }
    const name = t('grow.names.self-instruct', { count, number: whole(count) });
    const seeds = this.seedsFrom === 'own' ? [...this.wholeSeeds] : [];
    return { ...common, kind: 'self-instruct', name, seeds, language, count };
  }
}

function nameOf([topic = '', ...others]: readonly string[]): string {
  const count = others.length;
  const first = topic.length > 60 ? `${topic.slice(0, 60)}…` : topic;
  if (count === 0) return t('grow.names.self-chat', { topic: first });
  return t('grow.names.self-chatMany', { topic: first, count, number: whole(count) });
}

function shortened(name: string): string {
  return name.length > limits.name ? `${name.slice(0, limits.name - 1)}…` : name;
}
