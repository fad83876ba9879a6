import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { os, type RouterClient } from '@orpc/server';
import type { IpcMain } from 'electron';
import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { acceptPorts } from '../../src/main/rpc/message-port.ts';
import type { AppRouter } from '../../src/main/rpc/router.ts';
import { connectChannel } from '../../src/shared/desktop.ts';
import { fake, fakeEmitter } from '../support/electron.ts';

let ended = 0;
const counting = {
  count: os.handler(async function* ({ signal }) {
    try {
      yield 1;
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    } finally {
      ended++;
    }
  }),
};

/** A page that hands over its port, as the preload script does; Node's ports stand in for Electron's. */
function connectFrom(frame: { url: string } | null) {
  const { target, tell } = fakeEmitter<IpcMain>();
  acceptPorts(target, fake<AppRouter>(counting), ({ url }) => url === 'app://puna/');
  const { port1, port2 } = new MessageChannel();
  tell(connectChannel, { senderFrame: frame, ports: [port2] });
  return port1;
}

test('A page that hands over its port is answered on it, until it closes it', async () => {
  const port = connectFrom({ url: 'app://puna/' });
  port.start();
  const client: RouterClient<typeof counting> = createORPCClient(new RPCLink({ port }));
  const numbers = await client.count();
  expect(await numbers.next()).toEqual({ done: false, value: 1 });
  port.close();
  await expect.poll(() => ended).toBe(1);
});

test.each([{ url: 'https://example.com/' }, null])(
  'A page that is not ours (%j) gets its port closed',
  async (frame) => {
    const port = connectFrom(frame);
    await once(port, 'close');
  },
);
