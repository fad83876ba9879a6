import type { Attachment } from '../../../shared/contract/index.ts';
import { tellFailure } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import type { MessageActions } from '../message/actions.ts';

/** What a person does in the conversation in view, and what is to be known of it meanwhile. */
export class ConversationUse {
  readonly #messages = $derived(app.open?.messages ?? []);

  /** The reply on the branch in view that waits or is being written. */
  readonly streamingId = $derived.by(() => {
    const own = app.queue.filter(({ conversationId }) => conversationId === app.open?.id);
    return own.find(({ messageId }) => this.#messages.some(({ id }) => id === messageId))?.messageId ?? null;
  });

  /** How full the context is, in tokens; null while its size is not known. */
  readonly context = $derived.by(() => {
    const stats = this.#messages.findLast(({ stats: figures }) => figures)?.stats;
    const loaded = app.engine?.modelId === app.model?.id ? app.engine?.contextSize : null;
    const size = loaded ?? stats?.contextSize;
    return size ? { used: stats?.contextUsed ?? 0, size } : null;
  });

  readonly actions: MessageActions = {
    edit: (message, text) => told(app.open?.edit(message, text)),
    regenerate: (message) => orTold(app.client.chat.regenerate({ messageId: message.id })),
    allowAnyBase: (message) => orTold(this.#allowAnyBase(message.id)),
    continue: (message) => orTold(app.client.chat.continue({ messageId: message.id })),
    branch: (id) => orTold(app.open?.select(id)),
    feedback: (message, feedback) => told(app.client.messages.feedback({ messageId: message.id, feedback })),
    attachment: (message, index) => app.client.messages.attachment({ messageId: message.id, index }),
  };

  /** The composer shows what went wrong, beside what could not be sent. */
  async send({ text, attachments }: { text: string; attachments: Attachment[] }): Promise<void> {
    const conversation = await app.begin();
    await conversation.send(text, attachments);
  }

  async #allowAnyBase(messageId: number): Promise<void> {
    // The failure names one of them; those that fit their base are not changed by it.
    await app.change({ adapters: app.choice.adapters.map((choice) => ({ ...choice, anyBase: true })) });
    await app.client.chat.regenerate({ messageId });
  }

  async countTokens(text: string): Promise<number | null> {
    // Only what is in memory here can count.
    if (app.model?.kind !== 'model') return null;
    return (await app.client.chat.countTokens({ modelId: app.model.id, text })).tokens;
  }

  stop(): void {
    if (this.streamingId === null) return;
    app.client.chat.stop({ messageId: this.streamingId }).catch(tellFailure);
  }
}

/** Done, or told at the edge of the window. */
async function orTold(action: Promise<unknown> | undefined): Promise<void> {
  await action?.catch(tellFailure);
}

/** The same for those who have something open until it is done, and must know. */
async function told(action: Promise<unknown> | undefined): Promise<void> {
  try {
    await action;
  } catch (thrown) {
    tellFailure(thrown);
    throw thrown;
  }
}
