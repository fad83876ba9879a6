import { expect, test } from 'vitest';
import { ConversationList } from '../../src/renderer/lib/stores/conversation-list.svelte.ts';
import type { ConversationSummary } from '../../src/shared/contract/index.ts';

const everything = { archived: false, folderId: null };
const folder = { archived: false, folderId: 1 };

/** A list of so many conversations, every other one in the folder. Each page comes when the test says so. */
function start(count: number) {
  const all = Array.from({ length: count }, (_, index): ConversationSummary => ({
    ...{ id: count - index, title: '', folderId: index % 2, pinned: false, archived: false },
    ...{ createdAt: 0, updatedAt: count - index },
  }));
  const asked: { folderId: number | undefined; cursor: string | null; limit: number; answer: () => void }[] =
    [];
  const list = new ConversationList({
    conversations: {
      list({ folderId, cursor = null, limit = 0 }) {
        const found = all.filter((each) => folderId === undefined || each.folderId === folderId);
        const from = Number(cursor);
        const conversations = found.slice(from, from + limit);
        const page = { conversations, cursor: from + limit < found.length ? `${from + limit}` : null };
        const { promise, resolve } = Promise.withResolvers<typeof page>();
        asked.push({ folderId, cursor, limit, answer: () => resolve(page) });
        return promise;
      },
    },
  });
  const next = () => {
    const question = asked.shift();
    if (!question) throw new Error('Nothing was asked.');
    return question;
  };
  /** Lets what was asked be answered at once. */
  const answered = async (loading: Promise<void>) => {
    next().answer();
    await loading;
  };
  const ids = () => list.items.map(({ id }) => id);
  const idsOf = (first: number) => all.slice(0, first).map(({ id }) => id);
  return { list, asked, next, answered, ids, idsOf };
}

test('A page of what was shown before is not shown, and no page of what is shown now waits for it', async () => {
  const { list, asked, next, answered, ids } = start(900);
  await answered(list.show(everything));
  const earlier = list.loadMore();
  const late = next();
  await answered(list.show(folder));
  const inFolder = ids();
  expect(inFolder).toHaveLength(200);

  const further = list.loadMore();
  expect(asked).toMatchObject([{ folderId: 1, cursor: '200' }]);
  late.answer();
  await earlier;
  expect(ids()).toEqual(inFolder);
  // It is still on its way.
  expect(list.loadMore()).toBe(further);
  await answered(further);
  expect(ids()).toHaveLength(400);
  expect(list.items.every(({ folderId }) => folderId === 1)).toBe(true);
  await answered(list.loadMore());
  expect([ids().length, list.hasMore]).toEqual([450, false]);
});

test('All is loaded of what was shown when that was asked for, and not of what is shown since', async () => {
  const { list, asked, next, answered } = start(900);
  await answered(list.show(everything));
  const all = list.loadAll();
  const late = next();
  await answered(list.show(folder));
  late.answer();
  await all;
  expect(asked).toEqual([]);
  expect([list.items.length, list.hasMore]).toEqual([200, true]);
});

test('A page behind what is loaded anew meanwhile leaves no gap', async () => {
  const { list, next, answered, ids, idsOf } = start(1000);
  await answered(list.show(everything));
  await answered(list.loadMore(500));
  const reloading = list.reload();
  const behind = list.loadMore();
  await answered(reloading);
  expect(ids()).toEqual(idsOf(500));
  await answered(behind);
  expect(ids()).toEqual(idsOf(500));
  const all = list.loadAll();
  next().answer();
  await all;
  expect(ids()).toEqual(idsOf(1000));
});
