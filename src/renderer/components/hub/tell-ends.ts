import { toast } from 'svelte-sonner';
import type { Download } from '../../../shared/contract/index.ts';
import { oneLine, wordsOf } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { currentRoute, goTo } from '../../lib/router.svelte.ts';
import { chatWith } from './get.ts';

/** Long enough to be read by someone who was doing something else, in milliseconds. */
const shownFor = 10_000;

/** Sees downloads end, and tells whoever looks at another page meanwhile. */
export class DownloadEnds {
  #states = new Map<number, Download['state']>();

  /** Takes in the downloads as they are now. */
  see(downloads: readonly Download[]): void {
    for (const download of downloads) {
      const before = this.#states.get(download.id);
      if (before !== 'working' && before !== 'waiting') continue;
      // The page Models shows it.
      if (currentRoute().page !== 'models') tell(download);
    }
    this.#states = new Map(downloads.map(({ id, state }) => [id, state]));
  }
}

function tell({ id, state, name, modelId, error }: Download): void {
  const options = { id: `download-${id}`, duration: shownFor };
  if (state === 'done') {
    const action =
      modelId === null
        ? { label: t('hub.downloads.look'), onClick: () => goTo({ page: 'models' }) }
        : { label: t('hub.chat'), onClick: () => void chatWith(modelId) };
    toast.success(t('hub.downloads.ready', { name }), { ...options, action });
  } else if (state === 'failed') {
    toast.error(t('hub.downloads.failedNotice', { name }), {
      ...options,
      ...(error && { description: oneLine(wordsOf(error)) }),
      action: { label: t('hub.downloads.look'), onClick: () => goTo({ page: 'models' }) },
    });
  }
}
