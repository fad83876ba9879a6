import { z } from 'zod';
import type { NetworkError } from '../downloads/index.ts';
import { type AskedServer, notApi, parseJson, refusal, type Wish } from './failures.ts';

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
const wholeSchema = chunkSchema.extend({ choices: z.array(z.unknown()).min(1) });
const failureSchema = z.object({ error: z.unknown() }).refine(({ error }) => error != null);

/** What an event of a stream says. Errors: `NetworkError` (a failure of the server, no piece of a reply). */
export function saidBy(data: string, server: AskedServer, wish: Wish): Said {
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

/** What an answer says that is a reply as a whole. Errors: as those of `saidBy`. */
export function saidAtOnce(words: string, server: AskedServer, wish: Wish): Said {
  if (!wholeSchema.safeParse(parseJson(words)).success) {
    if (failureSchema.safeParse(parseJson(words)).success) throw failed(words, server, wish);
    throw notApi(server, words);
  }
  const said = saidBy(words, server, wish);
  return { ...said, finish: said.finish ?? 'stop' };
}

const statusSchema = z.object({ error: z.object({ code: z.int().min(400).max(599) }) });

/** A failure that is told where a reply should be: its status is in its words, if anywhere. */
function failed(words: string, server: AskedServer, wish: Wish): NetworkError {
  const status = statusSchema.safeParse(parseJson(words));
  return refusal(server, { status: status.success ? status.data.error.code : 500, headers: {}, words }, wish);
}
