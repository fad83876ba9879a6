import type { Conversation, ConversationPatch, TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { History } from '../history/index.ts';

/**
 * Brings what a run has taught into the conversation that it was taught for; null where there is none any more. `earlierIds`:
 * what was taught of the same before, which makes way.
 */
export function joinConversation(
  run: TrainingRun,
  { history, earlierIds }: { history: History; earlierIds: readonly number[] },
): Conversation | null {
  const { conversationId, adapterId } = run;
  if (conversationId === null || adapterId === null) return null;
  try {
    const conversation = history.conversations.get(conversationId);
    const makeWay = [adapterId, ...earlierIds];
    const defaultId = history.settings.get().modelId;
    const patch = joined(conversation, { ...run, adapterId }, { makeWay, defaultId });
    return history.conversations.update(conversationId, patch);
  } catch (thrown) {
    if (PunaError.from(thrown).code === 'not-found') return null;
    throw thrown;
  }
}

function joined(
  { modelId: present, adapters }: Conversation,
  { modelId, settings, adapterId }: TrainingRun & { adapterId: number },
  { makeWay, defaultId }: { makeWay: readonly number[]; defaultId: number | null },
): ConversationPatch {
  if (settings.trained === 'all') return { modelId: adapterId, adapters: [] };
  // Adapters of another model would not fit.
  const isSameModel = (present ?? defaultId ?? modelId) === modelId;
  const others = isSameModel ? adapters.filter((each) => !makeWay.includes(each.adapterId)) : [];
  return { modelId, adapters: [...others, { adapterId, scale: 1 }] };
}
