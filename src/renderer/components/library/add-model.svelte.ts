import { toast } from 'svelte-sonner';
import { failureText, noButtons, noticeFailure, tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { upload } from '../../lib/upload.ts';

export function isModelFile(file: File): boolean {
  return /\.gguf$/i.test(file.name);
}

/** Adds model files by path, one after the other; what went wrong with one does not keep the others out. */
export async function addPaths(paths: string[]): Promise<void> {
  for (const path of paths) {
    try {
      const { name } = await app.client.models.add({ path });
      toast.success(t('models.added', { name }));
    } catch (thrown) {
      tellFailure(thrown);
    }
  }
}

/** Adds dropped or picked files: by their path where the desktop tells it, else by sending a copy. */
export async function addFiles(files: File[]): Promise<void> {
  for (const file of files) {
    const path = window.puna?.pathForFile(file);
    await (path ? addPaths([path]) : addCopy(file));
  }
}

/** Shows how far it is, and can be stopped. */
async function addCopy(file: File): Promise<void> {
  const stop = new AbortController();
  const notice = `copy-${file.name}`;
  const show = (share: number): void => {
    toast.loading(t('models.copying', { name: file.name, share: `${Math.floor(share * 100)}%` }), {
      id: notice,
      duration: Infinity,
      cancel: { label: t('models.cancel'), onClick: () => stop.abort() },
    });
  };
  try {
    show(0);
    const uploadId = await upload(app.client, file, { signal: stop.signal, onProgress: show });
    const { name } = await app.client.models.add({ uploadId });
    toast.success(t('models.added', { name }), { id: notice, duration: 4000, ...noButtons });
  } catch (thrown) {
    if (stop.signal.aborted) return void toast.dismiss(notice);
    noticeFailure(failureText(thrown), { id: notice });
  }
}
