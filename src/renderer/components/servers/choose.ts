import { tellFailure } from '../../lib/failure.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';

/** Has a model of a server answer the conversation in view. Adapters are of use on this computer alone, and refused with it. */
export function chooseRemote(modelId: number): void {
  app.change({ modelId, adapters: [] }).catch(tellFailure);
}

/** A conversation that has not begun, with a model of a server. */
export async function chatWithRemote(modelId: number): Promise<void> {
  await app.show(null);
  goTo({ page: 'chat', conversationId: null });
  chooseRemote(modelId);
}
