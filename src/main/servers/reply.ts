import { PunaError } from '../../shared/error.ts';
import { NetworkError } from '../downloads/index.ts';
import type { ReplyEvent, ReplyResult } from '../inference/messages.ts';
import { ReplyParser } from '../inference/reply-parser.ts';
import { thoughtStyle } from '../inference/thought-style.ts';
import { askServer, type ServerAnswer, type ServerPatience, textOf } from './ask.ts';
import {
  type Conversation,
  goesOn,
  necessary,
  optional,
  seedOf,
  toLeaveOut,
  withNewName,
} from './chat-body.ts';
import { type AskedServer, isTooLong, refusal, type Wish } from './failures.ts';
import type { Said, Usage } from './said.ts';
import { readStream } from './stream.ts';

export interface RemoteModel {
  server: AskedServer;
  /** Its name there. */
  name: string;
  /** In tokens; null where its server does not tell. */
  contextLength: number | null;
  /** What this server does not take for this model; found out while it is asked. */
  leftOut: Set<string>;
}

interface ReplyOptions {
  signal: AbortSignal;
  patience: ServerPatience;
  onEvent: (event: ReplyEvent) => void;
}

/**
 * Has a server write a reply. One that is cancelled in the middle gives a result (`stopped`). Errors: `NetworkError` (what was written
 * before has been told), `cancelled` (before it began).
 */
export async function remoteReply(
  model: RemoteModel,
  conversation: Conversation,
  { signal, patience, onEvent }: ReplyOptions,
): Promise<ReplyResult> {
  const since = performance.now();
  const seed = seedOf(conversation.sampling);
  const telling = new Telling(onEvent, { begun: goesOn(conversation) });
  const wish: Wish = { type: 'reply', model: model.name, continues: goesOn(conversation) };
  let stopped = false;
  try {
    const answer = await ask(model, conversation, { seed, wish, signal, patience });
    await readStream(answer, model.server, { patience, wish, onSaid: (said) => telling.add(said) });
  } catch (thrown) {
    if (!signal.aborted) {
      telling.end();
      throw thrown;
    }
    if (telling.pieces === 0)
      throw new PunaError('cancelled', 'The reply is not wanted any more.', '', { cause: thrown });
    stopped = true;
  }
  telling.end();
  refuseFiltered(telling.finish, model.server);
  const { usage, pieces, firstAt } = telling;
  const now = performance.now();
  const tokens = usage?.tokens ?? pieces;
  const promptTokens = usage?.promptTokens ?? 0;
  const writing = (now - (firstAt ?? now)) / 1000;
  return {
    finish: stopped ? 'stopped' : telling.finish === 'length' ? 'length' : 'end',
    ...{ seed, promptTokens, cachedTokens: usage?.cachedTokens ?? 0, tokens },
    seconds: (now - since) / 1000,
    timeToFirstToken: ((firstAt ?? now) - since) / 1000,
    tokensPerSecond: writing > 0 ? Math.max(0, tokens - 1) / writing : 0,
    contextUsed: promptTokens + tokens,
    contextSize: model.contextLength ?? 0,
    droppedTurns: 0,
  };
}

/** Asks for a reply, and again without what the server does not take. */
async function ask(
  { server, name, leftOut }: RemoteModel,
  conversation: Conversation,
  { seed, wish, signal, patience }: { seed: number; wish: Wish } & Pick<ReplyOptions, 'signal' | 'patience'>,
): Promise<ServerAnswer> {
  const all = optional(conversation, seed);
  const without = new Set(leftOut);
  for (;;) {
    const parameters = withNewName(all, without);
    const answer = await askServer(server, {
      path: '/chat/completions',
      body: { ...necessary(name, conversation), ...parameters },
      accept: 'text/event-stream, application/json',
      ...{ signal, connectMs: patience.connectMs, answerMs: patience.firstPieceMs },
    });
    const { status, headers } = answer;
    if (status === 200) {
      // Only now is it known that this was what the server did not take.
      for (const each of without) leftOut.add(each);
      return answer;
    }
    const words = await textOf(answer, server, patience.modelsMs);
    const unwanted = isOfParameters(status, words, wish) ? toLeaveOut(parameters, words) : [];
    if (unwanted.length === 0) throw refusal(server, { status, headers, words }, wish);
    for (const each of unwanted) without.add(each);
  }
}

/** Whether a refusal may be one of what a person has set, which a reply does not depend on. */
function isOfParameters(status: number, words: string, wish: Wish): boolean {
  if (status !== 400 && status !== 422) return false;
  if (wish.type === 'reply' && wish.continues && /continue_final_message|add_generation_prompt/.test(words))
    return false;
  return !isTooLong(words);
}

/** Tells thoughts from text, and what of both comes. */
class Telling {
  /** Pieces with something in them: most servers send one for each token. */
  pieces = 0;
  finish: string | null = null;
  usage: Usage | null = null;
  /** When the first piece came, as `performance.now` has it. */
  firstAt: number | null = null;
  readonly #onEvent: (event: ReplyEvent) => void;
  readonly #parser: ReplyParser;
  #thought = false;

  constructor(onEvent: (event: ReplyEvent) => void, { begun }: { begun: boolean }) {
    this.#onEvent = onEvent;
    this.#parser = new ReplyParser({ stopTexts: [], thoughts: thoughtStyle(''), begins: 'text', begun });
  }

  add({ content, thinking, finish, usage }: Said): void {
    this.finish ??= finish;
    this.usage = usage ?? this.usage;
    if (content === '' && thinking === '') return;
    this.firstAt ??= performance.now();
    this.pieces++;
    const thought = this.#thought ? thinking : thinking.trimStart();
    if (thought !== '') {
      this.#thought = true;
      this.#onEvent({ type: 'piece', part: 'thinking', piece: thought });
    }
    for (const piece of this.#parser.add(content)) this.#onEvent({ type: 'piece', ...piece });
  }

  /** What was held back, now that nothing more comes. */
  end(): void {
    for (const piece of this.#parser.end()) this.#onEvent({ type: 'piece', ...piece });
  }
}

function refuseFiltered(finish: string | null, { host }: AskedServer): void {
  if (finish !== 'content_filter') return;
  throw new NetworkError(
    'wrong-answer',
    `${host} has ended the reply because of its rules on content.`,
    'Ask otherwise, or another model.',
  );
}
