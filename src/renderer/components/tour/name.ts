import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { made, resultName } from './made.svelte.ts';

/**
 * Gives what was made, and bears the name of its file, that of the tour; what has another name by now keeps it. Errors: those of
 * `models.rename`.
 */
export async function nameWhatWasMade(): Promise<void> {
  const { model, run } = made;
  if (model?.name === resultName) await rename(model.id, t('tour.names.model'));
  const adapter = app.adapters.find(({ id }) => id === run?.adapterId);
  // Names of files have no colons.
  if (run && adapter && adapter.name !== run.name && adapter.name.startsWith(run.name.replace(':', '_'))) {
    await rename(adapter.id, run.name);
  }
}

async function rename(modelId: number, name: string): Promise<void> {
  await app.client.models.rename({ modelId, name });
}
