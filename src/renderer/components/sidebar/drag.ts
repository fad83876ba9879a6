import type { ConversationSummary } from '../../../shared/contract/index.ts';

/** What a dragged conversation is called among all that can be dragged; another window of Puna understands it too. */
const dragType = 'application/x-puna-conversation';

export function dragConversation(
  { dataTransfer }: DragEvent,
  { id, folderId }: Pick<ConversationSummary, 'id' | 'folderId'>,
): void {
  if (!dataTransfer) return;
  dataTransfer.setData(dragType, JSON.stringify({ id, folderId }));
  dataTransfer.effectAllowed = 'copyMove';
}

export function dragsConversation({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes(dragType) ?? false;
}

export function droppedConversation({
  dataTransfer,
}: DragEvent): Pick<ConversationSummary, 'id' | 'folderId'> | null {
  const data = dataTransfer?.getData(dragType);
  return data ? (JSON.parse(data) as Pick<ConversationSummary, 'id' | 'folderId'>) : null;
}
