import type { ConversationSummary } from '../../../shared/contract/index.ts';
import { lastPart } from '../../lib/paths.ts';
import { recall, remember } from '../../lib/remembered.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { en } from '../../messages/tour/en.ts';
import { ko } from '../../messages/tour/ko.ts';
import { samples } from './samples.svelte.ts';

/** The tour's conversations: with the model as it is, with what it was taught, and with the one that came of the delta. */
export const tourChats = ['first', 'after', 'other'] as const;
export type TourChat = (typeof tourChats)[number];

/** What the file of the delta's result is called; the library gives it a name in the person's language. */
export const resultName = 'Tour sample';
const isResult = (path: string) => lastPart(path).startsWith(resultName);

/** What the tour has called something, in whichever language it was then. What got another name is the person's own. */
const words = [en, ko];
const isNamed = (name: string, pick: (text: typeof en.names | typeof ko.names) => string) =>
  words.some(({ names }) => pick(names) === name);
const isChat = (title: string, chat: TourChat) => isNamed(title, ({ chats }) => chats[chat]);

/** Where this window remembers when the tour was begun. */
const key = 'tour-since';

/** What the tour has made, found by what it is, so that a restart forgets nothing. */
class Made {
  /** Things up to that time, in milliseconds as the program counts them, are of an earlier tour. */
  #since = $state(Number(recall(key) ?? 0));

  readonly dataset = $derived(
    app.datasets.shown.find(
      ({ recipe, createdAt }) =>
        createdAt > this.#since &&
        recipe.kind === 'import' &&
        recipe.sources.some((source) => source.from === 'file' && source.path === samples.all?.chats.path),
    ) ?? null,
  );
  readonly run = $derived(
    app.training.items.find(
      ({ datasets, createdAt }) =>
        createdAt > this.#since && datasets.some(({ id }) => id !== null && id === this.dataset?.id),
    ) ?? null,
  );
  readonly job = $derived(
    app.weights.items.find(
      ({ operation, createdAt }) =>
        createdAt > this.#since &&
        operation.kind === 'delta-apply' &&
        operation.delta === samples.all?.delta.path,
    ) ?? null,
  );
  /** What came of the delta, while the library has it. */
  readonly model = $derived(
    app.chatModels.find(({ id, missing }) => id === this.job?.modelId && !missing) ?? null,
  );
  readonly chats = $derived.by(() => {
    const known = [...(app.open?.conversation ? [app.open.conversation] : []), ...app.list.items];
    const find = (chat: TourChat) =>
      known.find(({ title, createdAt }) => createdAt > this.#since && isChat(title, chat)) ?? null;
    return { first: find('first'), after: find('after'), other: find('other') };
  });

  /** Of this tour or an earlier one; conversations as far as the sidebar has loaded them. */
  readonly something = $derived(
    app.datasets.shown.some(({ name }) => isNamed(name, ({ data }) => data)) ||
      app.training.items.some(({ name }) => isNamed(name, ({ run }) => run)) ||
      app.weights.items.some(({ operation }) => isResult(operation.out)) ||
      app.list.items.some(({ title }) => tourChats.some((chat) => isChat(title, chat))),
  );

  /** From now on, what there is counts as of an earlier tour. */
  beginAnew(): void {
    const all = [app.datasets.items, app.training.items, app.weights.items, app.list.items].flat();
    this.#since = Math.max(0, ...all.map(({ createdAt }) => createdAt));
    remember(key, String(this.#since));
  }

  /** Removes all that bears a name of the tour. Errors: those of the procedures; what is left then can be removed by another try. */
  async remove(): Promise<void> {
    const { client } = app;
    for (const { id } of await tourConversations()) await client.conversations.remove({ conversationId: id });
    for (const { id } of app.training.items.filter(({ name }) => isNamed(name, ({ run }) => run))) {
      await client.training.remove({ runId: id });
    }
    for (const { id } of app.datasets.items.filter(({ name }) => isNamed(name, ({ data }) => data))) {
      await client.datasets.remove({ datasetId: id });
    }
    for (const { id, modelId, operation } of app.weights.items) {
      if (!isResult(operation.out)) continue;
      const model = app.models.find((each) => each.id === modelId);
      if (model && (isResult(model.name) || isNamed(model.name, (names) => names.model))) {
        // Nothing is lost: it can be made again at any time.
        await client.library.delete({ modelId: model.id, forGood: true });
      }
      await client.weights.discard({ jobId: id });
    }
  }
}

export const made = new Made();

/** All of them, also those that the sidebar does not show. */
async function tourConversations(): Promise<ConversationSummary[]> {
  const found: ConversationSummary[] = [];
  for (const archived of [false, true]) {
    let cursor: string | null = null;
    do {
      const page: { conversations: ConversationSummary[]; cursor: string | null } =
        await app.client.conversations.list({ archived, cursor, limit: 500 });
      found.push(...page.conversations.filter(({ title }) => tourChats.some((chat) => isChat(title, chat))));
      ({ cursor } = page);
    } while (cursor !== null);
  }
  return found;
}
