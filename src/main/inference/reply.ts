import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { randomInt } from 'node:crypto';
import type { Sampling } from '../../shared/contract/index.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ReplyEvent, ReplyInput, ReplyResult } from './messages.ts';
import { PieceSender } from './piece-sender.ts';
import { buildPrompt } from './prompt.ts';
import { ReplyParser } from './reply-parser.ts';
import { TextStream } from './text-stream.ts';

/** Tokens before the next one that a repeat penalty counts, as in llama.cpp's own programs. */
const penalizedTokens = 64;

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
  const { model } = loaded;
  const { sampling, continued } = input;
  const pool = await loaded.pools.get(input.adapters);
  const prompt = buildPrompt(loaded, input, pool.contextSize);
  const sequence = await pool.take(prompt.tokens);
  const cachedTokens = sequence.nextTokenIndex;
  const seed = sampling.seed ?? randomInt(0, 2 ** 32);

  const { prefix, suffix } = prompt.thoughts;
  const stream = new TextStream(model, { before: prompt.tokens, tags: [prefix, suffix] });
  const parser = new ReplyParser(prompt, {
    begun: continued !== null && continued.text + continued.thinking !== '',
  });
  const sender = new PieceSender(emit);
  const times = { first: 0, last: 0 };
  let tokens = 0;
  let finish: ReplyResult['finish'] = 'stopped';

  const last = await read(sequence, prompt.tokens.slice(cachedTokens), {
    ...{ signal, batchSize: pool.batchSize },
    onProgress: (share) => emit({ type: 'reading', progress: share }),
  });
  if (last !== null) {
    finish = 'end';
    const options = evaluateOptions(sampling, seed, prompt.tokens);
    const limit = sampling.maxTokens ?? Infinity;
    for await (const token of sequence.evaluate([last], options)) {
      times.last = performance.now();
      times.first ||= times.last;
      tokens++;
      if (prompt.stopTokens.has(token)) break;
      options.remember(token);
      sender.add(parser.add(stream.add(token)));
      if (parser.stopped) break;
      finish = outcome({ signal, tokens, limit, room: sequence.contextSize - sequence.nextTokenIndex });
      if (finish !== 'end') break;
    }
    sender.add(parser.add(stream.end()));
    sender.add(parser.end());
    sender.flush();
  }
  const writing = (times.last - times.first) / 1000;
  return {
    ...{ finish, seed, promptTokens: prompt.tokens.length, cachedTokens, tokens },
    seconds: (performance.now() - begin) / 1000,
    timeToFirstToken: times.first === 0 ? 0 : (times.first - begin) / 1000,
    tokensPerSecond: writing > 0 ? (tokens - 1) / writing : 0,
    contextUsed: sequence.nextTokenIndex,
    contextSize: sequence.contextSize,
    droppedTurns: prompt.droppedTurns,
  };
}

/** Whether the reply goes on (`end`: until the model ends it) after this token, and if not, why. */
function outcome(now: {
  signal: AbortSignal;
  tokens: number;
  limit: number;
  /** Tokens that the context can still take. */
  room: number;
}): ReplyResult['finish'] {
  if (now.signal.aborted) return 'stopped';
  // The next token needs a place, and llama.cpp would forget the oldest ones rather than stop.
  return now.tokens >= now.limit || now.room <= 1 ? 'length' : 'end';
}

/**
 * Reads a prompt but for its last token, batch by batch, and gives that one; null when it was cancelled, with what has been
 * read kept for the next time.
 */
async function read(
  sequence: LlamaContextSequence,
  tokens: Token[],
  {
    signal,
    batchSize,
    onProgress,
  }: { signal: AbortSignal; batchSize: number; onProgress: (share: number) => void },
): Promise<Token | null> {
  const end = tokens.length - 1;
  for (let start = 0; start < end; start += batchSize) {
    if (signal.aborted) return null;
    onProgress(start / tokens.length);
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(start, Math.min(end, start + batchSize)));
  }
  return signal.aborted ? null : (tokens[end] ?? null);
}

function evaluateOptions(
  { temperature, topK, topP, minP, repeatPenalty }: Sampling,
  seed: number,
  prompt: readonly Token[],
): SequenceEvaluateOptions & { remember: (token: Token) => void } {
  const recent = prompt.slice(-penalizedTokens);
  const remember = (token: Token) => {
    recent.push(token);
    if (recent.length > penalizedTokens) recent.shift();
  };
  return {
    ...{ temperature, topK, topP, minP, seed, remember },
    ...(repeatPenalty !== 1 && { repeatPenalty: { punishTokens: () => recent, penalty: repeatPenalty } }),
  };
}
