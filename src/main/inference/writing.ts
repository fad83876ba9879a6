import type { LlamaContextSequence, LlamaGrammarEvaluationState, Token } from 'node-llama-cpp';
import { randomInt } from 'node:crypto';
import { generate } from './generation.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { CompletionInput, ReplyEvent, ReplyInput, ReplyResult } from './messages.ts';
import { PieceSender } from './piece-sender.ts';
import type { Prompt } from './prompt.ts';
import type { ReadingPace } from './reading-pace.ts';
import { ReplyReader } from './reply-reader.ts';

/** The seeds that can be drawn, from 0 on. */
const seeds = 2 ** 32 - 1;

export interface Writing {
  prompt: Prompt;
  /** Brought to the longest beginning that it shares with the prompt. */
  sequence: LlamaContextSequence;
  pace: ReadingPace;
  /** The sequence's number among those that write side by side; absent: it is alone. */
  place?: number;
  sampling: ReplyInput['sampling'] | CompletionInput['sampling'];
  /** The text goes on in the middle of what its prompt ends with. */
  begun: boolean;
  grammar?: LlamaGrammarEvaluationState | undefined;
  clearance?: (() => Promise<void>) | undefined;
  /** When the job began, by `performance.now()`. */
  since: number;
  signal: AbortSignal;
  emit: (event: ReplyEvent) => void;
}

/** What was written, and how. */
export interface Written {
  result: ReplyResult;
  /** The answer, without thoughts. */
  text: string;
  tokens: Token[];
}

/** Has a model write what follows a prompt, and tells it in pieces. */
export async function write(loaded: LoadedModel, writing: Writing): Promise<Written> {
  const { prompt, sequence, sampling, signal, emit, since } = writing;
  const cachedTokens = sequence.nextTokenIndex;
  const seed = sampling.seed ?? randomInt(seeds);
  const reader = new ReplyReader(loaded, prompt, { begun: writing.begun });
  const sender = new PieceSender(emit);
  const written: Token[] = [];
  const times = { first: 0, last: 0 };

  const tokens = generate(sequence, prompt.tokens, {
    ...{ signal, sampling, seed, pace: writing.pace },
    ...{ grammar: writing.grammar, clearance: writing.clearance, place: writing.place },
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

  const seconds = (times.last - times.first) / 1000;
  const result: ReplyResult = {
    ...{ finish, seed, promptTokens: prompt.tokens.length, cachedTokens, tokens: written.length },
    seconds: (performance.now() - since) / 1000,
    timeToFirstToken: times.first === 0 ? 0 : (times.first - since) / 1000,
    tokensPerSecond: seconds > 0 ? (written.length - 1) / seconds : 0,
    contextUsed: sequence.nextTokenIndex,
    contextSize: sequence.contextSize,
    droppedTurns: prompt.droppedTurns,
  };
  return { result, text: reader.text, tokens: written };
}
