/** Examples that a model writes: new tasks, conversations with itself, and questions about texts. */
import type { GrowOrder } from '../../../shared/contract/dataset.ts';
import type { NewExample } from '../../dataset-engine/messages.ts';
import type { GrowContext } from './context.ts';
import { growPairs } from './pairs.ts';
import { growSelfChat } from './self-chat.ts';
import { growSelfInstruct } from './self-instruct.ts';

export type { GrowContext, GrowRequest } from './context.ts';

/**
 * Has a model write what is ordered and gives it one by one. What it gives depends on the order and on the model's replies
 * alone; a run that goes on from what another one has written gives what that one would have given. It ends when all is
 * written, or with what there is when the model writes nothing usable many times in a row. Errors: `invalid-input` (the model
 * has written nothing usable at all, or there are no texts to ask about), whatever `generate` and `texts` throw.
 */
export async function* grow(order: GrowOrder, context: GrowContext): AsyncGenerator<NewExample> {
  switch (order.kind) {
    case 'self-instruct':
      return yield* growSelfInstruct(order, context);
    case 'self-chat':
      return yield* growSelfChat(order, context);
    case 'pairs':
      return yield* growPairs(order, context);
  }
}
