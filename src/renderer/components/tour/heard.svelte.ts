import { SvelteMap } from 'svelte/reactivity';
import type { PathMessage } from '../../../shared/contract/index.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { made, type TourChat, tourChats } from './made.svelte.ts';

/** What was said in the tour's conversations, whichever is in view. */
class Heard {
  readonly #messages = new SvelteMap<number, readonly PathMessage[]>();

  /** Those that have to be asked for, as text: they are neither in view nor at work. */
  readonly #away = $derived(
    tourChats
      .flatMap((chat) => made.chats[chat]?.id ?? [])
      .filter((id) => id !== app.open?.id && !this.#isAtWork(id))
      .join(' '),
  );

  in(chat: TourChat): readonly PathMessage[] {
    const id = made.chats[chat]?.id;
    if (id === undefined) return [];
    return app.open?.id === id ? app.open.messages : (this.#messages.get(id) ?? []);
  }

  isWriting(chat: TourChat): boolean {
    const id = made.chats[chat]?.id;
    return id !== undefined && this.#isAtWork(id);
  }

  /** Learns what is said, for as long as the effect lives in which it is called. */
  listen(): void {
    const ids = this.#away.split(' ').filter(Boolean).map(Number);
    for (const conversationId of ids) {
      app.client.messages.path({ conversationId }).then(
        ({ messages }) => this.#messages.set(conversationId, messages),
        // It was removed meanwhile, or the connection broke; then the window says so.
        () => undefined,
      );
    }
  }

  #isAtWork(id: number): boolean {
    return app.queue.some(({ conversationId }) => conversationId === id);
  }
}

export const heard = new Heard();

/** The answer to the last question that is meant; null while there is none. */
export function answerTo(
  messages: readonly PathMessage[],
  isMeant: (question: string) => boolean,
): string | null {
  const at = messages.findLastIndex(
    ({ role, status }, index) =>
      role === 'assistant' && status === 'complete' && isMeant(messages[index - 1]?.text ?? ''),
  );
  return messages[at]?.text ?? null;
}
