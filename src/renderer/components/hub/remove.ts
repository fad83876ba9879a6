import type { Download } from '../../../shared/contract/index.ts';
import { tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { doUnlessUndone } from '../../lib/undo.ts';

/**
 * Takes a download off the list. What has been begun is removed with it, but only when that can no longer be undone: hours may have gone
 * into it. Until then it stands still.
 */
export function removeDownload({ id: downloadId, state, name }: Download): void {
  const { client, downloads } = app;
  if (state === 'done') {
    client.downloads.remove({ downloadId }).catch(tellFailure);
    return;
  }
  const underway = state === 'waiting' || state === 'working';
  downloads.leaving.add(downloadId);
  if (underway) client.downloads.pause({ downloadId }).catch(tellFailure);
  const back = (): void => void downloads.leaving.delete(downloadId);
  doUnlessUndone(t('hub.downloads.removed', { name }), {
    really: async () => {
      if (downloads.leaving.has(downloadId)) await client.downloads.remove({ downloadId }).finally(back);
    },
    undo: () => {
      back();
      if (underway) client.downloads.resume({ downloadId }).catch(tellFailure);
    },
  });
}

/** Takes everything that is there off the list; the models stay. */
export function clearDone(): void {
  for (const download of app.downloads.shown) if (download.state === 'done') removeDownload(download);
}
