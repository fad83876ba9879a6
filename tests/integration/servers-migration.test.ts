import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { databaseFile, openDatabase } from '../../src/main/history/index.ts';
import { migrations } from '../../src/main/history/migrations/index.ts';
import { Library } from '../../src/main/library/index.ts';
import { FileSecrets, secretsFile } from '../../src/main/secrets/index.ts';
import { Servers } from '../../src/main/servers/index.ts';
import { automaticLoadSettings } from '../../src/shared/contract/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
beforeEach(async () => void ({ folder, remove: removeFolder } = await temporaryFolder()));
afterEach(() => removeFolder());

test('A server that was added under an earlier rule is where its address says today, and so are its models', async () => {
  const old = openDatabase(databaseFile(folder), { migrations: migrations.slice(0, 10) });
  const addresses = [
    'http://100.100.1.2:8000/v1',
    'http://box.tail1.ts.net:8000/v1',
    'https://example.com/v1',
  ];
  for (const [index, address] of addresses.entries()) {
    old
      .prepare(
        `INSERT INTO servers (name, address, place, has_key, offered, added_at) VALUES ('Box', ?, 'elsewhere', 0, '[]', 1)`,
      )
      .run(address);
    old
      .prepare(
        `INSERT INTO models (kind, name, path, bytes, architecture, has_chat_template, origin, load_settings, added_at,
           server_id, server_model)
         VALUES ('remote', ?, ?, 0, '', 1, 'server', ?, 1, ?, 'llama')`,
      )
      .run(`llama ${index}`, `server:${index + 1}:llama`, JSON.stringify(automaticLoadSettings), index + 1);
  }
  old.close();

  const database = openDatabase(databaseFile(folder));
  const library = new Library({
    ...{ database, modelsFolder: join(folder, 'models') },
    onChange: () => undefined,
  });
  const secrets = new FileSecrets(secretsFile(folder));
  const servers = new Servers({ database, library, secrets, onChange: () => undefined });
  const places = ['local-network', 'local-network', 'elsewhere'];
  expect(servers.list()).toMatchObject(
    addresses.map((address, index) => ({ address, place: places[index], models: [{ modelId: index + 1 }] })),
  );
  expect((await library.listAll()).map(({ server }) => server?.place)).toEqual(places);
  // Also one whose name alone is changed.
  expect(await servers.update(1, { name: 'Mine' })).toMatchObject({ name: 'Mine', place: 'local-network' });
  database.close();
});
