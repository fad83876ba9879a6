import type {
  DownloadOrder,
  HubFile,
  HubRepository,
  RecommendedModel,
} from '../../../shared/contract/index.ts';
import { tellFailure } from '../../lib/failure.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { hub } from './hub.svelte.ts';

/** Begins a download. Errors: those of `downloads.start`. */
export async function startDownload(order: DownloadOrder): Promise<void> {
  const download = await app.client.downloads.start(order);
  app.downloads.put(download);
  // Whoever wants it again does not want it removed.
  app.downloads.leaving.delete(download.id);
}

/**
 * Gets a recommended model without another question. Where conditions have to be accepted first, shows the repository, which says so.
 * Errors: those of the hub; null where the repository has nothing to download.
 */
export async function getRecommended({
  repository: id,
  quantization,
}: RecommendedModel): Promise<HubFile | null> {
  const repository = await app.client.hub.repository({ id });
  const file = fileToGet(repository, quantization);
  if (!file || file.modelId !== null) return file;
  if (repository.gated !== false && !hub.settings?.hasToken) {
    goTo({ page: 'models', discover: true, repository: id });
    return file;
  }
  await startDownload({ repository: id, file: file.name });
  return file;
}

/** The file with that quantization, if it fits, or else the one that is best for this machine. */
function fileToGet({ files }: HubRepository, quantization: string): HubFile | null {
  const named = files.find((file) => file.quantization === quantization && file.fits);
  return named ?? files.find(({ recommended }) => recommended) ?? files[0] ?? null;
}

/** A conversation that has not begun, with this model. */
export async function chatWith(modelId: number): Promise<void> {
  try {
    await app.show(null);
    goTo({ page: 'chat', conversationId: null });
    await app.change({ modelId });
  } catch (thrown) {
    tellFailure(thrown);
  }
}

/** A model of the library that can be talked to, by its number. */
export function usableModel(modelId: number | null | undefined): number | null {
  return app.chatModels.find(({ id, missing }) => id === modelId && !missing)?.id ?? null;
}
