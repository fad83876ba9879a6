import type { ConversationPatch, ConversationSummary } from '../../shared/contract/index.ts';
import { downloadHistory } from './download.ts';
import { tellFailure } from './failure.ts';
import { t } from './i18n.svelte.ts';
import { goTo } from './router.svelte.ts';
import { app } from './stores/app.svelte.ts';
import { doUnlessUndone, offerUndo } from './undo.ts';

/** What a person can do with a conversation of the list. Failures are told at the edge of the window. */

export function changeConversation(id: number, patch: ConversationPatch): void {
  app.client.conversations.update({ conversationId: id, patch }).catch(tellFailure);
}

export async function archiveConversation({ id, archived }: ConversationSummary): Promise<void> {
  const set = (value: boolean) =>
    app.client.conversations.update({ conversationId: id, patch: { archived: value } });
  try {
    await set(!archived);
    offerUndo(t(archived ? 'sidebar.unarchived' : 'sidebar.archivedDone'), () => set(archived));
  } catch (thrown) {
    tellFailure(thrown);
  }
}

/** `folderId` null: out of its folder. */
export async function moveConversation(
  { id, folderId: from }: Pick<ConversationSummary, 'id' | 'folderId'>,
  folderId: number | null,
): Promise<void> {
  if (from === folderId) return;
  const move = (to: number | null) =>
    app.client.conversations.update({ conversationId: id, patch: { folderId: to } });
  try {
    await move(folderId);
    const name = app.folders.find((folder) => folder.id === folderId)?.name;
    offerUndo(name === undefined ? t('sidebar.movedOut') : t('sidebar.moved', { name }), () => move(from));
  } catch (thrown) {
    tellFailure(thrown);
  }
}

export async function removeConversation({ id }: Pick<ConversationSummary, 'id'>): Promise<void> {
  const inView = app.open?.id === id;
  try {
    await app.client.conversations.remove({ conversationId: id });
  } catch (thrown) {
    return tellFailure(thrown);
  }
  offerUndo(t('sidebar.deleted'), async () => {
    await app.client.conversations.restore({ conversationId: id });
    if (inView) goTo({ page: 'chat', conversationId: id });
  });
}

export function saveConversation({ id, title }: ConversationSummary, format: 'markdown' | 'json'): void {
  const name = title || t('chat.untitled');
  downloadHistory(app.client, { conversationId: id, format, name }).catch(tellFailure);
}

/** All of them, in one file. */
export function saveAllConversations(format: 'markdown' | 'json'): void {
  const name = `Puna ${new Date().toISOString().slice(0, 10)}`;
  downloadHistory(app.client, { format, name }).catch(tellFailure);
}

/** Its conversations stay, outside of a folder. */
export function removeFolder(id: number): void {
  app.leaving.folders.add(id);
  const show = (folderId: number | null) => app.list.show({ archived: false, folderId }).catch(tellFailure);
  if (app.list.folderId === id) void show(null);
  const back = (): void => void app.leaving.folders.delete(id);
  doUnlessUndone(t('sidebar.folderRemoved'), {
    really: () => app.client.folders.remove({ folderId: id }).finally(back),
    undo: back,
  });
}
