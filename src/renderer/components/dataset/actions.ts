import { toast } from 'svelte-sonner';
import type { Dataset } from '../../../shared/contract/index.ts';
import { downloadDataset } from '../../lib/download.ts';
import { tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { doUnlessUndone } from '../../lib/undo.ts';

/** What a person can do with a dataset as a whole. Failures are told at the edge of the window. */

/** Makes an empty one, for examples that a person writes, and shows it. */
export async function makeOwn(): Promise<void> {
  try {
    const dataset = await app.client.datasets.import({
      kind: 'import',
      name: t('datasets.home.ownName'),
      sources: [],
      clean: null,
    });
    app.datasets.put(dataset);
    goTo({ page: 'teach', datasetId: dataset.id });
  } catch (thrown) {
    tellFailure(thrown);
  }
}

export function renameDataset(datasetId: number, name: string): void {
  void change(app.client.datasets.rename({ datasetId, name }));
}

export function cancelDataset(datasetId: number): void {
  void change(app.client.datasets.cancel({ datasetId }));
}

export function resumeDataset(datasetId: number): void {
  void change(app.client.datasets.resume({ datasetId }));
}

export async function approveDataset({ id: datasetId, name }: Dataset): Promise<void> {
  if (await change(app.client.datasets.approve({ datasetId }))) {
    toast(t('datasets.view.approved', { name }));
  }
}

/** Only in the end: what a person has edited would not come back. */
export function removeDataset({ id: datasetId, name }: Dataset): void {
  const { leaving } = app.datasets;
  leaving.add(datasetId);
  const back = (): void => void leaving.delete(datasetId);
  doUnlessUndone(t('datasets.list.removed', { name }), {
    really: () => app.client.datasets.remove({ datasetId }).finally(back),
    undo: back,
  });
}

export function saveDataset({ id: datasetId, name }: Dataset): void {
  downloadDataset(app.client, { datasetId, name }).catch(tellFailure);
}

async function change(changing: Promise<Dataset>): Promise<boolean> {
  try {
    app.datasets.put(await changing);
    return true;
  } catch (thrown) {
    tellFailure(thrown);
    return false;
  }
}
