import type { Attachment, Message, QueueEntry } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Events } from '../events.ts';
import type { History } from '../history/index.ts';
import type { AdapterFile, ReplyEvent, ReplyInput } from '../inference/messages.ts';
import type { Library } from '../library/index.ts';
import type { Servers } from '../servers/index.ts';
import { Background } from './background.ts';
import type { ModelHost } from './model-host.ts';
import { type Order, type Speaker, speakerOf, statistics } from './order.ts';
import { promptTurns } from './prompt.ts';
import { FairQueue, type Request } from './queue.ts';
import { ReplyWriter } from './reply-writer.ts';
import { Titles } from './titles.ts';
import { UnsavedReplies } from './unsaved-replies.ts';

export interface ChatServices {
  history: History;
  library: Library;
  host: ModelHost;
  /** Where the models are that do not lie on this machine. */
  servers: Pick<Servers, 'reply'>;
  events: Events;
}

/** Makes replies: puts them in line, has the engine or a server write them, and keeps every word. */
export class Chat {
  /** Replies for others than conversations, which wait for those of conversations. */
  readonly background: Background;
  readonly #services: ChatServices;
  readonly #queue = new FairQueue();
  readonly #orders = new Map<number, Order>();
  readonly #titles: Titles;
  readonly #unsaved = new UnsavedReplies();
  /** The replies that are being written: one by the engine, and those of servers beside it. */
  readonly #writers = new Set<ReplyWriter>();
  /** Replies of servers that are not whole yet. */
  readonly #beside = new Set<Promise<void>>();
  #closing = false;
  #calm = true;
  readonly #calmListeners: (() => void)[] = [];
  #drained: Promise<void> = Promise.resolve();

  constructor(services: ChatServices) {
    this.#services = services;
    this.#titles = new Titles(services);
    this.background = new Background(services);
  }

  /** No conversation wants a reply. */
  get calm(): boolean {
    return this.#calm;
  }

  /** Called when no conversation wants a reply any more. */
  onCalm(listener: () => void): void {
    this.#calmListeners.push(listener);
  }

  get queue(): QueueEntry[] {
    return this.#queue.entries();
  }

  /** Errors: `not-found`, `no-model`, `invalid-input` (nothing to send, or its parent is still being written). */
  async send(input: {
    conversationId: number;
    parentId: number | null;
    text: string;
    attachments: Attachment[];
  }): Promise<{ message: Message; reply: Message }> {
    const { conversationId, parentId, text, attachments } = input;
    if (text.trim() === '' && attachments.length === 0) {
      throw new PunaError('invalid-input', 'There is nothing to send.', 'Write something or add a file.');
    }
    const wanted = await speakerOf(conversationId, this.#services);
    if (parentId !== null) this.#refuseUnfinished(parentId);
    const { messages } = this.#services.history;
    const message = messages.append({
      conversationId,
      parentId,
      role: 'user',
      text,
      attachments,
      status: 'complete',
    });
    this.#tell(message);
    const words = text || (attachments[0]?.name ?? '');
    // No model here reads along with a conversation that a server answers, and no server is asked for a title.
    this.#titles.begin(conversationId, words, { forGood: wanted.model.server !== null });
    return { message, reply: this.#enqueueReplyTo(message, wanted) };
  }

  /** Errors: `not-found`, `no-model`, `invalid-input` (not a reply). */
  async regenerate(messageId: number): Promise<{ reply: Message }> {
    const { messages } = this.#services.history;
    const old = this.#reply(messageId);
    const wanted = await speakerOf(old.conversationId, this.#services);
    if (old.parentId === null)
      throw new PunaError('invalid-input', 'A reply to nothing cannot be made again.');
    return { reply: this.#enqueueReplyTo(messages.get(old.parentId), wanted) };
  }

  /** Errors: `not-found`, `no-model`, `invalid-input` (not a reply, or still being written). */
  async continue(messageId: number): Promise<{ reply: Message }> {
    const { messages } = this.#services.history;
    const wanted = await speakerOf(this.#reply(messageId).conversationId, this.#services);
    this.#refuseUnfinished(messageId);
    // Servers write text on, and begin anew where there are only thoughts: those would stand there twice.
    const anew = wanted.model.server !== null && this.#reply(messageId).text === '';
    messages.write(messageId, { status: 'waiting', error: null, ...(anew && { thinking: '' }) });
    const reply = messages.get(messageId);
    this.#enqueue(reply, { ...wanted, continued: { text: reply.text, thinking: reply.thinking } });
    return { reply };
  }

  /** Brings the history up to the last piece that was told, for a window that is about to read it. */
  flush(): void {
    for (const writer of this.#writers) writer.flush();
    this.#unsaved.keep();
  }

  /** Stops a reply that waits or is being written; anything else is left as it is. */
  stop(messageId: number): void {
    const request = this.#queue.find(messageId);
    if (!request) return;
    request.controller.abort();
    if (!this.#queue.withdraw(messageId)) return;
    this.#orders.delete(messageId);
    this.#end(this.#writerOf(messageId), { status: 'stopped' });
    this.#tellQueue();
  }

  /** Stops all that a conversation has in line, before it is removed. */
  stopConversation(conversationId: number): void {
    for (const request of this.#queue.ofConversation(conversationId)) this.stop(request.messageId);
  }

  countTokens(modelId: number, text: string): Promise<number | null> {
    return this.#services.host.countTokens(modelId, text);
  }

  /** Ends what runs, marked as interrupted so that it can be continued, and waits until the last word is saved. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#titles.interrupt();
    this.background.close();
    for (const { messageId } of this.#queue.entries()) {
      const request = this.#queue.find(messageId);
      request?.controller.abort();
      if (this.#queue.withdraw(messageId)) this.#end(this.#writerOf(messageId), { status: 'interrupted' });
    }
    await this.#drained;
    await Promise.all(this.#beside);
    this.#unsaved.close();
  }

  #reply(messageId: number): Message {
    const message = this.#services.history.messages.get(messageId);
    if (message.role === 'assistant') return message;
    throw new PunaError('invalid-input', 'Only a reply can be continued or made again.');
  }

  #refuseUnfinished(messageId: number): void {
    this.#unsaved.keep();
    if (this.#unsaved.has(messageId)) {
      throw new PunaError(
        'invalid-input',
        'This reply could not be saved yet.',
        'Free some space on the disk, and close other programs that use the history.',
      );
    }
    if (!this.#queue.find(messageId)) return;
    throw new PunaError(
      'invalid-input',
      'This reply is still being written.',
      'Wait until it ends, or stop it.',
    );
  }

  #enqueueReplyTo(message: Message, wanted: Speaker): Message {
    const reply = this.#services.history.messages.append({
      conversationId: message.conversationId,
      parentId: message.id,
      role: 'assistant',
      text: '',
      status: 'waiting',
    });
    this.#enqueue(reply, { ...wanted, continued: null });
    return reply;
  }

  #enqueue(reply: Message, wanted: Omit<Order, 'request'>): void {
    const request: Request = {
      messageId: reply.id,
      conversationId: reply.conversationId,
      controller: new AbortController(),
      state: 'waiting',
      progress: null,
    };
    const order = { ...wanted, request };
    this.#tell(reply);
    const conversation = this.#services.history.conversations.get(reply.conversationId);
    this.#services.events.publish({ type: 'conversation', conversation });
    if (wanted.model.server) return this.#answerBeside(order);
    this.#orders.set(reply.id, order);
    this.#queue.add(request);
    this.#titles.interrupt();
    this.#calm = false;
    this.background.hold();
    this.#tellQueue();
    this.#drained = this.#drained.then(() => this.#drain());
  }

  /** A server's reply takes nothing from the engine, so that it waits for nobody and nobody for it. */
  #answerBeside(order: Order): void {
    this.#queue.addBeside(order.request);
    this.#tellQueue();
    const answered = this.#answer(order).then(() => {
      this.#beside.delete(answered);
      this.#queue.finish(order.request);
      this.#tellQueue();
    });
    this.#beside.add(answered);
  }

  async #drain(): Promise<void> {
    for (let request = this.#next(); request; request = this.#next()) {
      const order = this.#orders.get(request.messageId);
      this.#orders.delete(request.messageId);
      if (order) await this.#answer(order);
      this.#queue.finish(request);
      this.#tellQueue();
    }
    // Not awaited: a new request must not wait for titles, it interrupts them.
    // What goes wrong with them costs no more than a title.
    if (!this.#closing) this.#whenIdle().catch(console.error);
  }

  /** Titles, which are short, and then what others than conversations want. */
  async #whenIdle(): Promise<void> {
    await this.#titles.whenIdle().catch(console.error);
    if (!this.#queue.idle || this.#closing) return;
    this.#calm = true;
    this.background.release();
    for (const listener of this.#calmListeners) listener();
  }

  #next(): Request | null {
    return this.#closing ? null : this.#queue.start();
  }

  /** Never throws: what goes wrong is kept with the message. */
  async #answer({ request, conversation, model, adapters, continued }: Order): Promise<void> {
    const { history, host, servers } = this.#services;
    const { signal } = request.controller;
    const writer = this.#writerOf(request.messageId);
    this.#writers.add(writer);
    const stage = (state: Request['state'], progress: number | null = null) => {
      request.state = state;
      request.progress = progress;
      this.#tellQueue();
    };
    try {
      writer.begin();
      if (!model.server) {
        stage('loading');
        await host.load(model, signal);
      }
      stage('reading');
      const { parentId } = history.messages.get(request.messageId);
      const branch = parentId === null ? [] : history.messages.branch(parentId);
      const files: AdapterFile[] = adapters.map(({ model: { path }, ...use }) => ({ path, ...use }));
      const { systemPrompt, sampling } = conversation;
      const input: ReplyInput = {
        systemPrompt,
        turns: promptTurns(branch),
        continued,
        adapters: files,
        sampling,
      };
      const onEvent = (event: ReplyEvent) => {
        if (event.type === 'reading') return stage('reading', event.progress);
        if (request.state !== 'writing') stage('writing');
        writer.add(event.part, event.piece);
      };
      const result = await (model.server
        ? servers.reply(model, input, { signal, onEvent })
        : host.reply(input, { signal, onEvent }));
      const interrupted = this.#closing ? 'interrupted' : 'stopped';
      const status = result.finish === 'stopped' ? interrupted : 'complete';
      this.#end(writer, { status, stats: statistics(result, { conversation, model, adapters }) });
    } catch (thrown) {
      this.#fail(writer, PunaError.from(thrown));
    } finally {
      this.#writers.delete(writer);
    }
  }

  #fail(writer: ReplyWriter, error: PunaError): void {
    if (error.code === 'cancelled') {
      return this.#end(writer, { status: this.#closing ? 'interrupted' : 'stopped' });
    }
    return this.#end(writer, { status: writer.empty ? 'failed' : 'interrupted', error });
  }

  #writerOf(messageId: number): ReplyWriter {
    return new ReplyWriter(this.#services.history.messages.get(messageId), this.#services);
  }

  /** Keeps how a reply ended, now or as soon as the database takes it. */
  #end(writer: ReplyWriter, outcome: Parameters<ReplyWriter['end']>[0]): void {
    if (!writer.end(outcome)) this.#unsaved.add(writer);
  }

  #tell(message: Message): void {
    this.#services.events.publish({ type: 'message', message });
  }

  #tellQueue(): void {
    this.#services.events.publish({ type: 'queue', entries: this.#queue.entries() });
  }
}
