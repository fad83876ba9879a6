import { setTimeout } from 'node:timers/promises';
import type { Message } from '../../src/shared/contract/index.ts';
import { seededRandom, type SeededRandom } from '../../tests/support/tiny-random.ts';
import type { Client } from '../../tests/support/shell.ts';
import { questions } from '../../tests/support/teaching.ts';

/** Beyond that, whatever is waited for will not come, in milliseconds. */
const patience = 180_000;

export interface Files {
  /** A model, one of the same shape with other numbers, and conversations to learn from. */
  base: string;
  target: string;
  data: string;
}

/** What a person does with Puna, in an order that a seed decides, and what they must find again. */
export class Use {
  /** Every message that Puna has taken, by its id. */
  readonly said = new Map<number, string>();
  readonly #random: SeededRandom;
  readonly #files: Files;
  /** Those that are written on now and then. */
  readonly #conversations: number[] = [];
  #made = 0;

  constructor({ seed, files }: { seed: number; files: Files }) {
    this.#random = seededRandom(seed);
    this.#files = files;
  }

  /** Something to do next: talking most of the time. */
  next(): keyof typeof this.doings {
    const often = ['talk', 'talk', 'talk', 'branch', 'branch', 'stop', 'search'] as const;
    return this.#pick([...often, ...often, 'teach', 'delta', 'dataset'] as const);
  }

  /** What a person does, by name. */
  readonly doings = {
    talk: async (client: Client) => {
      const conversationId = await this.#conversation(client);
      for (let turn = 0; turn <= this.#random.below(3); turn++) await this.#say(client, conversationId);
    },
    /** Another reply, other words, back to the first, and on from there. */
    branch: async (client: Client) => {
      const conversationId = await this.#conversation(client);
      const reply = await this.#say(client, conversationId);
      await this.#ended(client, (await client.chat.regenerate({ messageId: reply.id })).reply);
      await this.#say(client, conversationId, reply.parentId);
      await client.messages.select({ messageId: reply.id });
      await this.#ended(client, (await client.chat.continue({ messageId: reply.id })).reply);
    },
    /** Two at once, of which one is stopped. */
    stop: async (client: Client) => {
      const [one, other] = [await this.#conversation(client), await this.#conversation(client)];
      const begun = await this.#begin(client, one);
      const second = other === one ? null : await this.#begin(client, other);
      await setTimeout(this.#random.below(300));
      await client.chat.stop({ messageId: begun.id });
      await this.#ended(client, begun);
      if (second) await this.#ended(client, second);
    },
    search: async (client: Client) => {
      await client.history.search({ query: this.#question().split(' ').slice(-2).join(' ') });
      await client.conversations.list({});
      const conversationId = await this.#conversation(client);
      await client.messages.path({ conversationId });
      for await (const piece of await client.history.export({ conversationId, format: 'markdown' }))
        void piece;
    },
    dataset: async (client: Client) => {
      const datasetId = await this.#dataset(client);
      await client.datasets.page({ datasetId });
      await client.datasets.remove({ datasetId });
    },
    teach: async (client: Client) => {
      const modelId = await this.#model(client);
      const datasetId = await this.#dataset(client);
      const { id: runId } = await client.training.start({
        ...{ modelId, datasetIds: [datasetId], name: `Soak ${++this.#made}` },
        settings: { steps: 10 + this.#random.below(20), context: 64, threads: 1 },
      });
      if (this.#random.below(3) === 0) {
        await setTimeout(this.#random.below(2000));
        await client.training.cancel({ runId }).catch(() => undefined);
      }
      const run = await this.#until(async () => {
        const found = (await client.training.list()).find(({ id }) => id === runId);
        return found && ['done', 'stopped', 'failed'].includes(found.state) ? found : undefined;
      });
      if (run.state === 'failed') throw new Error(`Training: ${run.error?.message}`);
      if (run.adapterId !== null) {
        const conversationId = await this.#conversation(client);
        const adapters = [{ adapterId: run.adapterId, scale: 1 }];
        await client.conversations.update({ conversationId, patch: { modelId, adapters } });
        await this.#say(client, conversationId);
        await client.conversations.update({ conversationId, patch: { adapters: [] } });
      }
      await client.training.remove({ runId });
      await client.datasets.remove({ datasetId });
    },
    /** A delta is made and applied, and the result is talked to. */
    delta: async (client: Client) => {
      const { base, target } = this.#files;
      const name = `soak-${++this.#made}`;
      const delta = await this.#operation(client, {
        ...{ kind: 'delta-make', base, target, out: `${name}-delta.gguf`, compress: true },
      });
      const made = await this.#operation(client, {
        ...{ kind: 'delta-apply', base, delta: delta.out, out: `${name}.gguf`, type: null, anyBase: false },
      });
      if (made.proof !== 'hashes') throw new Error(`The proof of a delta is ${made.proof}.`);
      for (const jobId of [made.jobId, delta.jobId]) await client.weights.discard({ jobId });
      if (made.modelId !== null) await client.library.delete({ modelId: made.modelId, forGood: true });
    },
  } satisfies Record<string, (client: Client) => Promise<void>>;

  #pick<Element>(elements: readonly Element[]): Element {
    const picked = elements[this.#random.below(elements.length)];
    if (picked === undefined) throw new Error('There is nothing to pick from.');
    return picked;
  }

  #question(): string {
    return this.#pick(questions.known).question;
  }

  async #model(client: Client): Promise<number> {
    const { models } = await client.system.state();
    const found = models.find(({ path }) => path === this.#files.base);
    return (found ?? (await client.models.add({ path: this.#files.base }))).id;
  }

  async #conversation(client: Client): Promise<number> {
    if (this.#conversations.length > 0 && this.#random.below(3) > 0) return this.#pick(this.#conversations);
    const { id } = await client.conversations.create({ modelId: await this.#model(client) });
    this.#conversations.push(id);
    // Long conversations fill the little model's context, and that belongs to it; but not all of them.
    if (this.#conversations.length > 40) this.#conversations.shift();
    return id;
  }

  async #begin(client: Client, conversationId: number, sibling?: number | null): Promise<Message> {
    const { leafId } = await client.conversations.get({ conversationId });
    const parentId = sibling === undefined ? leafId : await this.#parentOf(client, conversationId, sibling);
    const text = this.#question();
    const { message, reply } = await client.chat.send({ conversationId, parentId, text });
    this.said.set(message.id, text);
    return reply;
  }

  async #say(client: Client, conversationId: number, sibling?: number | null): Promise<Message> {
    return this.#ended(client, await this.#begin(client, conversationId, sibling));
  }

  async #parentOf(client: Client, conversationId: number, messageId: number | null): Promise<number | null> {
    const { messages } = await client.messages.path({ conversationId });
    return messages.find(({ id }) => id === messageId)?.parentId ?? null;
  }

  async #ended(client: Client, { id, conversationId }: Message): Promise<Message> {
    const reply = await this.#until(async () => {
      const { queue } = await client.system.state();
      if (queue.some(({ messageId }) => messageId === id)) return undefined;
      const { messages } = await client.messages.path({ conversationId });
      const found = messages.find((message) => message.id === id);
      if (!found) return 'out of view';
      return found.status === 'waiting' || found.status === 'streaming' ? undefined : found;
    });
    if (reply === 'out of view') throw new Error(`Reply ${id} is not on the branch in view.`);
    if (reply.status === 'failed') throw new Error(`Reply: ${reply.error}`);
    return reply;
  }

  async #dataset(client: Client): Promise<number> {
    const { id } = await client.datasets.import({
      ...{ kind: 'import', name: `Soak ${++this.#made}`, clean: null },
      sources: [{ from: 'file', path: this.#files.data }],
    });
    const made = await this.#until(async () => {
      const found = (await client.datasets.list()).find((dataset) => dataset.id === id);
      return found && ['ready', 'failed', 'stopped'].includes(found.state) ? found : undefined;
    });
    if (made.state !== 'ready') throw new Error(`Dataset: ${made.state}`);
    return id;
  }

  async #operation(client: Client, operation: Parameters<Client['weights']['start']>[0]) {
    const { id: jobId } = await client.weights.start(operation);
    const job = await this.#until(async () => {
      const found = (await client.weights.list()).find(({ id }) => id === jobId);
      const ended = found && ['done', 'failed', 'stopped'].includes(found.state) && !found.speaking;
      return ended ? found : undefined;
    });
    if (!job.result) throw new Error(`${operation.kind}: ${job.error?.message}`);
    return { jobId, modelId: job.modelId, out: job.result.out, proof: job.result.proof.kind };
  }

  async #until<Result>(look: () => Promise<Result | undefined>): Promise<Result> {
    const end = Date.now() + patience;
    while (Date.now() < end) {
      const found = await look();
      if (found !== undefined) return found;
      await setTimeout(50);
    }
    throw new Error(`Nothing came of it in ${patience / 1000} s.`);
  }
}
