import type { Dataset, TrainingRun } from '../../../shared/contract/index.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import type { TourSamples } from './samples.svelte.ts';

/** As many as a run answers; the contract says the same. */
const mostPrompts = 3;

/** Has the sample chats read in. Errors: those of `datasets.import`. */
export async function readChats({ chats: { path } }: TourSamples): Promise<Dataset> {
  const { people, me } = await app.client.datasets.inspect({ path });
  const dataset = await app.client.datasets.import({
    ...{ kind: 'import', name: t('tour.names.data'), clean: null },
    // Of a chat between people, somebody has to be who answers.
    sources: [{ from: 'file', path, me: me ?? people?.at(-1)?.name ?? null }],
  });
  app.datasets.put(dataset);
  return dataset;
}

/** Teaches the starter model, as Puna suggests. Errors: those of `training.suggest` and `training.start`. */
export async function teach({ starter, questions }: TourSamples, datasetId: number): Promise<TrainingRun> {
  const order = { modelId: starter.id, datasetIds: [datasetId] };
  const { settings } = await app.client.training.suggest(order);
  const run = await app.client.training.start({
    ...{ ...order, name: t('tour.names.run') },
    prompts: questions.taught.slice(0, mostPrompts).map(({ question }) => question[locale()]),
    settings: { ...settings, sampleEvery: settings.sampleEvery ?? settings.evaluateEvery },
  });
  app.training.put(run);
  return run;
}

/** Goes on with a run that was stopped or has failed. Errors: those of `training.resume`. */
export async function teachOn(runId: number): Promise<TrainingRun> {
  const run = await app.client.training.resume({ runId });
  app.training.put(run);
  return run;
}
