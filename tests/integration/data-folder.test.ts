import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

let above: string;
let removeFolder: () => Promise<void>;
let shell: Shell;
let client: Client;

beforeEach(async () => {
  ({ folder: above, remove: removeFolder } = await temporaryFolder());
  shell = await startShell({ dataFolder: join(above, 'data') });
  ({ client } = shell);
  await client.conversations.create({ title: 'Before' });
});
afterEach(async () => {
  await shell.stop();
  await removeFolder();
});

/** What is told of the data folder, one after the other. */
async function tellings() {
  const events = await client.system.events();
  return async (): Promise<boolean> => {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error('Nothing more is told.');
      if (value.type === 'data-folder') return value.isThere;
    }
  };
}

// Windows lets nobody take away what is open.
describe.skipIf(process.platform === 'win32')('a data folder that goes while Puna runs', () => {
  test('is told of where it was deleted; until the end, all is there to be exported, and nothing is made anew', async () => {
    expect(await client.system.state()).toMatchObject({ dataFolderIsThere: true });
    const next = await tellings();
    await rm(shell.dataFolder, { recursive: true });
    expect(await next()).toBe(false);
    expect(await client.system.state()).toMatchObject({ dataFolderIsThere: false });
    await client.conversations.create({ title: 'After' });
    let exported = '';
    for await (const piece of await client.history.export({ format: 'json' })) exported += piece;
    for (const title of ['Before', 'After']) expect(exported).toContain(`"${title}"`);
    // Whoever wants to put it back must not find another one there.
    await client.library.rescan();
    expect(existsSync(shell.dataFolder)).toBe(false);
    await shell.stop();
    expect(existsSync(shell.dataFolder)).toBe(false);
    expect(shell.process.exitCode).toBe(0);
  });

  test('is told of where it was moved, and again when it is back, with all that was written meanwhile', async () => {
    const next = await tellings();
    await rename(shell.dataFolder, join(above, 'elsewhere'));
    expect(await next()).toBe(false);
    await client.conversations.create({ title: 'Meanwhile' });
    await rename(join(above, 'elsewhere'), shell.dataFolder);
    expect(await next()).toBe(true);
    await shell.stop();
    shell = await startShell({ dataFolder: shell.dataFolder });
    const { conversations } = await shell.client.conversations.list({});
    expect(conversations.map(({ title }) => title).sort()).toEqual(['Before', 'Meanwhile']);
    expect(await shell.client.system.state()).toMatchObject({ dataFolderIsThere: true });
  });
});
