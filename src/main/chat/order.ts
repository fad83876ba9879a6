import { answeringModel } from '../../shared/answering-model.ts';
import type { Conversation, Model, ReplyStats } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { History } from '../history/index.ts';
import type { ReplyInput, ReplyResult } from '../inference/messages.ts';
import type { Library } from '../library/index.ts';
import type { Request } from './queue.ts';

/** Who answers a conversation. */
export interface Speaker {
  conversation: Conversation;
  model: Model;
  adapters: { model: Model; scale: number; anyBase: boolean }[];
}

/** What was wanted when a reply was begun; a request keeps to it while it waits. */
export interface Order extends Speaker {
  request: Request;
  /** The text to write on, for `continue`. */
  continued: ReplyInput['continued'];
}

/**
 * Resolves what a reply needs before anything is written, so that a missing model costs the person nothing. Errors: `not-found`, `no-model`,
 * `invalid-input` (adapters on a model of a server).
 */
export async function speakerOf(
  conversationId: number,
  { history, library }: { history: History; library: Library },
): Promise<Speaker> {
  const conversation = history.conversations.get(conversationId);
  const models = await library.listAll();
  const model = answeringModel(models, conversation.modelId ?? history.settings.get().modelId);
  if (!model)
    throw new PunaError('no-model', 'There is no model to answer.', 'Add a GGUF file on the Models page.');
  const adapters = conversation.adapters.flatMap(({ adapterId, scale, anyBase = false }) => {
    const adapter = models.find(({ id, kind }) => id === adapterId && kind === 'adapter');
    return adapter ? [{ model: adapter, scale, anyBase }] : [];
  });
  if (model.server && adapters.length > 0) {
    throw new PunaError(
      'invalid-input',
      `Adapters work on models of this machine alone, and ${model.name} answers from ${model.server.name}.`,
      'Take them out of this conversation, or choose a model of this machine.',
    );
  }
  return { conversation, model, adapters };
}

/** How a reply was made, as it is kept with it. */
export function statistics(result: ReplyResult, { conversation, model, adapters }: Speaker): ReplyStats {
  return {
    model: model.name,
    server: model.server && { name: model.server.name, place: model.server.place },
    adapters: adapters.map(({ model: { name }, scale }) => ({ name, scale })),
    sampling: conversation.sampling,
    seed: result.seed,
    promptTokens: result.promptTokens,
    cachedTokens: result.cachedTokens,
    tokens: result.tokens,
    seconds: result.seconds,
    timeToFirstToken: result.timeToFirstToken,
    tokensPerSecond: result.tokensPerSecond,
    contextUsed: result.contextUsed,
    contextSize: result.contextSize,
    droppedMessages: result.droppedTurns,
    truncated: result.finish === 'length',
  };
}
