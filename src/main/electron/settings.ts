import { createRouterClient } from '@orpc/server';
import type { Settings } from '../../shared/contract/index.ts';
import type { AppRouter } from '../rpc/router.ts';

/**
 * Tells the desktop which theme and language the person has chosen, and whenever they choose anew: title bar, menus and
 * dialogs should match the page. It asks through the contract like any page. Resolves when `follow` knows the present
 * settings; the signal ends the rest.
 */
export async function followSettings(
  router: AppRouter,
  follow: (settings: Settings) => void,
  signal: AbortSignal,
): Promise<void> {
  const client = createRouterClient(router);
  const events = await client.system.events(undefined, { signal });
  follow((await client.system.state()).settings);
  const followChanges = async () => {
    for await (const event of events) {
      if (event.type === 'settings') follow(event.settings);
    }
  };
  followChanges().catch((error: unknown) => {
    if (!signal.aborted) console.error(error);
  });
}
