import type { Token } from 'node-llama-cpp';
import { randomInt } from 'node:crypto';
import { generate } from './generation.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ReplyEvent, ReplyInput, ReplyResult } from './messages.ts';
import { PieceSender } from './piece-sender.ts';
import { buildPrompt } from './prompt.ts';
import { ReplyReader } from './reply-reader.ts';

/** The seeds that can be drawn, from 0 on. */
const seeds = 2 ** 32 - 1;

interface Job {
  signal: AbortSignal;
  emit: (event: ReplyEvent) => void;
}

/** Writes one reply. Errors: `invalid-input` (too long a message, an adapter that does not fit). */
export async function reply(
  loaded: LoadedModel,
  input: ReplyInput,
  { signal, emit }: Job,
): Promise<ReplyResult> {
  const begin = performance.now();
  const { sampling, continued } = input;
  const pool = await loaded.pools.get(input.adapters);
  const prompt = buildPrompt(loaded, input, pool.contextSize);
  const sequence = await pool.take(prompt.tokens);
  const cachedTokens = sequence.nextTokenIndex;
  const seed = sampling.seed ?? randomInt(seeds);
  const reader = new ReplyReader(loaded, prompt, {
    begun: (continued?.text ?? '') + (continued?.thinking ?? '') !== '',
  });
  const sender = new PieceSender(emit);
  const written: Token[] = [];
  const times = { first: 0, last: 0 };

  const tokens = generate(sequence, prompt.tokens, {
    ...{ signal, sampling, seed, pace: pool.pace },
    onProgress: (progress) => emit({ type: 'reading', progress }),
  });
  let finish: ReplyResult['finish'] | null = null;
  while (finish === null) {
    const next = await tokens.next();
    if (next.done) {
      finish = next.value;
    } else if (prompt.stopTokens.has(next.value)) {
      finish = 'end';
    } else {
      times.last = performance.now();
      times.first ||= times.last;
      written.push(next.value);
      sender.add(reader.add(next.value));
      if (reader.stopped) finish = 'end';
      else if (written.length >= (sampling.maxTokens ?? Infinity)) finish = 'length';
    }
  }
  await tokens.return(finish);
  sender.add(reader.end());
  sender.flush();
  rememberReply(loaded, { continued, text: reader.text, written, before: prompt.tokens });

  const writing = (times.last - times.first) / 1000;
  return {
    ...{ finish, seed, promptTokens: prompt.tokens.length, cachedTokens, tokens: written.length },
    seconds: (performance.now() - begin) / 1000,
    timeToFirstToken: times.first === 0 ? 0 : (times.first - begin) / 1000,
    tokensPerSecond: writing > 0 ? (written.length - 1) / writing : 0,
    contextUsed: sequence.nextTokenIndex,
    contextSize: sequence.contextSize,
    droppedTurns: prompt.droppedTurns,
  };
}

/** So that this reply is found in the cache when it is part of the next prompt. */
function rememberReply(
  { model, replies }: LoadedModel,
  reply: { continued: ReplyInput['continued']; text: string; written: Token[]; before: Token[] },
): void {
  const { text, written } = reply;
  // Thoughts, marks and a character that is not whole are in the tokens but not in the text.
  if (
    text === '' ||
    model.detokenize(written, false, reply.before.slice(-8)).trimStart() !== text.trimStart()
  )
    return;
  if (!reply.continued) return replies.remember(text, written);
  const begun = replies.recall(reply.continued.text);
  if (begun && reply.continued.thinking === '')
    replies.remember(reply.continued.text + text, [...begun, ...written]);
}
