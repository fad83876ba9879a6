import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { History, openDatabase } from '../../src/main/history/index.ts';
import { temporaryFolder } from '../support/shell.ts';

const message = { error: 'a.gguf is cut off. Copy it again.', errorCode: 'file-damaged' as const };
let folder: string;
let json: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ folder, remove } = await temporaryFolder());
  const database = openDatabase(join(folder, 'first.db'));
  const history = new History(database);
  const { id: conversationId } = history.conversations.create();
  const { id } = history.messages.append({
    ...{ conversationId, parentId: null, role: 'assistant', text: '', status: 'streaming' },
  });
  history.messages.write(id, { status: 'failed', ...message });
  json = '';
  for await (const piece of history.exportHistory({ format: 'json' })) json += piece;
  database.close();
});

afterEach(() => remove());

/** The message as it is after an import elsewhere. */
async function imported(text: string) {
  const path = join(folder, 'export.json');
  await writeFile(path, text);
  const database = openDatabase(join(folder, 'second.db'));
  const history = new History(database);
  await history.importHistory(path);
  const found = history.messages.get(1);
  database.close();
  return found;
}

test('an exported reply that failed still knows of what kind the failure was where it is imported', async () => {
  expect(await imported(json)).toMatchObject({ status: 'failed', ...message });
});

test.each([
  ['of an older Puna', ''],
  ['of a newer one', '"errorCode":"out-of-patience",'],
])('an export %s, whose kind of failure is not known here, keeps its words', async (_, code) => {
  const other = json.replace('"errorCode":"file-damaged",', code);
  expect(other).not.toBe(json);
  expect(await imported(other)).toMatchObject({ ...message, errorCode: null });
});
