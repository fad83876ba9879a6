import { RPCHandler } from '@orpc/server/message-port';
import type { IpcMain, IpcMainEvent, MessagePortMain } from 'electron';
import { connectChannel } from '../../shared/desktop.ts';
import type { AppRouter } from './router.ts';

/**
 * The contract over the ports that the preload script hands over (src/preload). Only pages that `trusted` knows are
 * answered. A port dies with its page, and with it the page's subscriptions.
 */
export function acceptPorts(
  ipcMain: Pick<IpcMain, 'on'>,
  router: AppRouter,
  trusted: (frame: NonNullable<IpcMainEvent['senderFrame']>) => boolean,
): void {
  const handler = new RPCHandler<Record<never, never>>(router);
  ipcMain.on(connectChannel, (event) => {
    const frame = event.senderFrame;
    for (const port of event.ports) {
      if (frame && trusted(frame)) answer(port);
      else port.close();
    }
  });

  function answer(port: MessagePortMain): void {
    handler.upgrade(port, { context: {} });
    port.start();
  }
}
