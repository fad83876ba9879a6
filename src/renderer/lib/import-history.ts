import { toast } from 'svelte-sonner';
import { failureText, noticeFailure } from './failure.ts';
import { percent } from './figures.ts';
import { t } from './i18n.svelte.ts';
import { app } from './stores/app.svelte.ts';
import { upload } from './upload.ts';

/** Adds an exported history to what is there; says how far it is and what came of it. */
export async function importHistory(file: File): Promise<void> {
  const notice = `import-${file.name}`;
  const show = (share: number): void => {
    toast.loading(t('settings.importing', { name: file.name, share: percent(share) }), {
      id: notice,
      duration: Infinity,
    });
  };
  try {
    show(0);
    const uploadId = await upload(app.client, file, { onProgress: show });
    const { conversations, messages } = await app.client.history.import({ uploadId });
    const text = t('settings.imported', { count: conversations, messages });
    toast.success(text, { id: notice, duration: 6000 });
  } catch (thrown) {
    noticeFailure(failureText(thrown), { id: notice });
  }
}
