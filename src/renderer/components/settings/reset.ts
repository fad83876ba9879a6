import { toast } from 'svelte-sonner';
import { tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { offerUndo } from '../../lib/undo.ts';
import { hub } from '../hub/hub.svelte.ts';

/** All settings as at first, which can be undone. */
export async function resetSettings(): Promise<void> {
  const before = app.settings;
  try {
    const { endpoint, bytesPerSecond } = await app.client.hub.settings();
    await app.client.settings.reset();
    await hub.load();
    offerUndo(t('upkeep.reset.settingsDone'), async () => {
      if (!before) return;
      const { api, ...others } = before;
      await app.updateSettings(others);
      await app.client.api.configure(api);
      await hub.configure({ endpoint, bytesPerSecond });
    });
  } catch (thrown) {
    tellFailure(thrown);
  }
}

/** Puts all conversations aside, which can be undone. */
export async function removeAllConversations(): Promise<void> {
  try {
    const { count, removedAt } = await app.client.conversations.removeAll();
    offerUndo(t('upkeep.reset.conversationsDone', { count }), () =>
      app.client.conversations.restoreAll({ removedAt }),
    );
  } catch (thrown) {
    tellFailure(thrown);
  }
}

export async function restoreAllConversations(): Promise<void> {
  try {
    const { count } = await app.client.conversations.restoreAll({ removedAt: null });
    toast.success(t('upkeep.reset.restored', { count }));
  } catch (thrown) {
    tellFailure(thrown);
  }
}

/** Removes for good what was put aside. */
export async function purgeConversations(): Promise<void> {
  try {
    const { count } = await app.client.conversations.purge();
    toast.success(t('upkeep.reset.purged', { count }));
  } catch (thrown) {
    tellFailure(thrown);
  }
}
