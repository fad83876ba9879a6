import { toast } from 'svelte-sonner';
import { failureText, tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { upload } from '../../lib/upload.ts';

/** Adds model files by path, one after the other; what went wrong with one does not keep the others out. */
export async function addPaths(paths: string[]): Promise<boolean> {
  let all = true;
  for (const path of paths) {
    try {
      await app.client.models.add({ path });
    } catch (thrown) {
      all = false;
      tellFailure(thrown);
    }
  }
  return all;
}

/** Adds dropped or picked files: by their path where the desktop tells it, else by sending a copy. */
export async function addFiles(files: File[]): Promise<void> {
  for (const file of files) {
    const path = window.puna?.pathForFile(file);
    await (path ? addPaths([path]) : addCopy(file));
  }
}

async function addCopy(file: File): Promise<void> {
  const stop = new AbortController();
  const notice = toast.loading(t('models.copying', { name: file.name, share: '0%' }), {
    cancel: { label: t('models.cancel'), onClick: () => stop.abort() },
  });
  try {
    const uploadId = await upload(app.client, file, {
      signal: stop.signal,
      onProgress: (share) => {
        toast.loading(t('models.copying', { name: file.name, share: `${Math.round(share * 100)}%` }), {
          id: notice,
        });
      },
    });
    await app.client.models.add({ uploadId });
    toast.success(t('models.added', { name: file.name }), { id: notice });
  } catch (thrown) {
    if (stop.signal.aborted) return void toast.dismiss(notice);
    const { sentence, remedy } = failureText(thrown);
    toast.error(sentence, { id: notice, description: remedy });
  }
}
