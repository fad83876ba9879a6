import { literalSampling } from '../../../shared/contract/default-sampling.ts';
import type { ConversationPatch } from '../../../shared/contract/index.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { made, type TourChat } from './made.svelte.ts';
import { samples } from './samples.svelte.ts';

/** Whoever is as small as that says the right thing with its likeliest words. */
export function likeliest(): Pick<ConversationPatch, 'sampling'> {
  return { sampling: literalSampling };
}

/** What a conversation of the tour begins with. */
export function beginningOf(chat: TourChat): ConversationPatch {
  const title = t(`tour.names.chats.${chat}`);
  const starter = samples.starter?.id ?? null;
  const adapterId = made.run?.adapterId ?? null;
  if (chat === 'other') return { title, ...likeliest(), modelId: made.model?.id ?? null };
  const adapters = chat === 'after' && adapterId !== null ? [{ adapterId, scale: 1 }] : [];
  return { title, ...likeliest(), modelId: starter, adapters };
}

/** Asks something in a conversation of the tour, in view; it is begun where there is none. Errors: those of `chat.send`. */
export async function ask(chat: TourChat, text: string): Promise<void> {
  const there = made.chats[chat];
  if (there) goTo({ page: 'chat', conversationId: there.id });
  await app.show(there?.id ?? null);
  if (!there) app.draft = beginningOf(chat);
  const conversation = await app.begin();
  await conversation.send(text, []);
}
