import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { NetworkError } from '../downloads/index.ts';
import { reasonOf, type ServerAnswer, type ServerPatience, textOf } from './ask.ts';
import {
  type AskedServer,
  brokenOff,
  notApi,
  parseJson,
  refusal,
  stoodStill,
  type Wish,
} from './failures.ts';

/** What a stream says of a reply, piece by piece. */
export interface Said {
  /** What the model writes; thoughts may be in it, in tags. */
  content: string;
  /** Thoughts that the server has told apart. */
  thinking: string;
  /** Why the reply ends here; null while it goes on. */
  finish: string | null;
  /** In tokens, as far as told. */
  usage: Usage | null;
}

export interface Usage {
  promptTokens: number;
  cachedTokens: number;
  tokens: number;
}

const count = z.int().nonnegative();
const usageSchema = z
  .object({
    prompt_tokens: count,
    completion_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
  })
  .transform((usage) => ({
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    tokens: usage.completion_tokens,
  }));

const text = z.string().nullish();
/** Some services send parts, with thoughts as parts of their own. */
const partSchema = z.object({ type: z.string(), text, thinking: z.array(z.object({ text })).optional() });
const messageSchema = z.object({
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
  /** llama-server, vLLM, DeepSeek */
  reasoning_content: text,
  /** OpenRouter, newer vLLM, Ollama */
  reasoning: text,
});
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: messageSchema.nullish(),
        /** Of a server that does not stream. */
        message: messageSchema.nullish(),
        /** Some send an empty one while the reply goes on. */
        finish_reason: text.transform((reason) => reason || null),
      }),
    )
    .nullish()
    .transform((choices) => choices ?? []),
  usage: usageSchema.nullish().catch(null),
});
const failureSchema = z.object({ error: z.unknown() }).refine(({ error }) => error != null);

/** After a reply has said that it ends, what it took in tokens comes at once or never. */
const afterEndMs = 5_000;
/** Longer than what any model writes between two tokens; whoever sends more in one event is no such server. */
const longestEvent = 4 * 1024 * 1024;

/**
 * Reads a reply as it comes. Errors: `NetworkError` (broken off, silent too long, a failure of the server, no reply at all), an abort. What
 * was told before stays.
 */
export async function readStream(
  answer: ServerAnswer,
  server: AskedServer,
  { patience, wish, onSaid }: { patience: ServerPatience; wish: Wish; onSaid: (said: Said) => void },
): Promise<void> {
  const type = answer.headers['content-type'] ?? '';
  if (!/^text\/event-stream/i.test(type)) {
    return readWhole(await textOf(answer, server, patience.firstPieceMs), server, { wish, onSaid });
  }
  const { body } = answer;
  const state = { done: false, finished: false, ended: false, events: 0 };
  let failure: NetworkError | null = null;
  let silence: NodeJS.Timeout | undefined;
  let ending = false;
  const waitFor = (ms: number) => {
    clearTimeout(silence);
    silence = setTimeout(() => body.destroy(stoodStill(server, ms)), ms);
  };
  const take = (data: string) => {
    // Some keep the connection awake with empty events.
    if (state.done || failure || data.trim() === '') return;
    if (data.trim() === '[DONE]') return void (state.done = true);
    // Half an event at the end is no failure of its own: the reply broke off there.
    if (state.ended && parseJson(data) === undefined) return;
    state.events++;
    try {
      const said = saidBy(data, server, wish);
      state.finished ||= said.finish !== null;
      onSaid(said);
    } catch (thrown) {
      if (!(thrown instanceof NetworkError)) throw thrown;
      failure = thrown;
    }
  };
  const parser = createParser({
    onEvent: ({ data }) => take(data),
    // What llama-server long sent where a reply failed: a field `error`.
    onError: ({ type: kind, field, value }) => {
      if (kind === 'unknown-field' && field === 'error') take(`{"error":${value ?? 'null'}}`);
      if (kind === 'max-buffer-size-exceeded') failure = notApi(server, '');
    },
    maxBufferSize: longestEvent,
  });
  const decoder = new TextDecoder();
  waitFor(patience.firstPieceMs);
  try {
    for await (const bytes of body as AsyncIterable<Buffer>) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (failure) throw failure;
      // Some keep the connection open.
      if (state.done) return;
      // Once after the end, whatever else keeps coming.
      if (!ending) {
        waitFor(state.finished ? afterEndMs : state.events > 0 ? patience.silenceMs : patience.firstPieceMs);
      }
      ending = state.finished;
    }
    state.ended = true;
    // The last event of some has no empty line behind it.
    parser.feed(`${decoder.decode()}\n\n`);
    if (failure) throw failure;
  } catch (thrown) {
    // A reply that has ended is whole, however its connection ends.
    if (!state.finished || failure) throw reasonOf(thrown, server);
  } finally {
    clearTimeout(silence);
    body.destroy();
  }
  // Some end without a word of it; a reply that has not said why it ends is not whole.
  if (!state.finished && !state.done) throw brokenOff(server);
}

function readWhole(
  words: string,
  server: AskedServer,
  { wish, onSaid }: { wish: Wish; onSaid: (said: Said) => void },
) {
  if (!chunkSchema.extend({ choices: z.array(z.unknown()).min(1) }).safeParse(parseJson(words)).success) {
    if (failureSchema.safeParse(parseJson(words)).success) throw failed(words, server, wish);
    throw notApi(server, words);
  }
  const said = saidBy(words, server, wish);
  onSaid({ ...said, finish: said.finish ?? 'stop' });
}

function saidBy(data: string, server: AskedServer, wish: Wish): Said {
  const value = parseJson(data);
  if (failureSchema.safeParse(value).success) throw failed(data, server, wish);
  const chunk = chunkSchema.safeParse(value);
  if (!chunk.success) throw notApi(server, data);
  const { choices, usage } = chunk.data;
  const [choice] = choices;
  const message = choice?.delta ?? choice?.message;
  const parts =
    typeof message?.content === 'string' ? [{ type: 'text', text: message.content }] : message?.content;
  const thoughts = (parts ?? []).flatMap((part) => ('thinking' in part ? (part.thinking ?? []) : []));
  return {
    content: joined(parts?.filter((part) => part.type === 'text')),
    thinking: (message?.reasoning_content ?? message?.reasoning ?? '') + joined(thoughts),
    finish: choice?.finish_reason ?? null,
    usage: usage ?? null,
  };
}

function joined(parts: readonly { text?: string | null | undefined }[] = []): string {
  return parts.map((part) => part.text ?? '').join('');
}

const statusSchema = z.object({
  error: z.object({ code: z.int().min(400).max(599) }),
});

/** A failure that is told where a reply should be: its status is in its words, if anywhere. */
function failed(words: string, server: AskedServer, wish: Wish): NetworkError {
  const status = statusSchema.safeParse(parseJson(words));
  return refusal(server, { status: status.success ? status.data.error.code : 500, headers: {}, words }, wish);
}
