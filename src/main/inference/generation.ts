import type {
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  SequenceEvaluateOptions,
  Token,
} from 'node-llama-cpp';
import type { Sampling } from '../../shared/contract/index.ts';
import { priorityOf } from './batch-order.ts';
import type { Penalties } from './messages.ts';
import type { ReadingPace } from './reading-pace.ts';

/** Tokens before the next one that a repeat penalty counts, as in llama.cpp's own programs. */
const penalizedTokens = 64;
/** To llama.cpp this seed means: draw one. */
const drawnSeed = 0xffff_ffff;

export interface GenerationOptions {
  signal: AbortSignal;
  sampling: Omit<Sampling, 'seed' | 'maxTokens'> & Partial<Penalties>;
  seed: number;
  pace: ReadingPace;
  /** Where the text stands in the grammar that it keeps to; absent: it keeps to none. */
  grammar?: LlamaGrammarEvaluationState | undefined;
  /** The sequence's number among those that write side by side. */
  place?: number | undefined;
  /** Waited for before each step, so that others can go first. */
  clearance?: (() => Promise<void>) | undefined;
  /** Share of the prompt that has been read. */
  onProgress?: (share: number) => void;
}

/** Why no token follows: the model ended, there is no place for another one, or it was stopped. */
export type GenerationEnd = 'end' | 'length' | 'stopped';

/**
 * Reads what the sequence does not hold of the prompt yet, and gives the tokens that follow. What was read and written stays
 * in the sequence, whoever stops.
 */
export async function* generate(
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  options: GenerationOptions,
): AsyncGenerator<Token, GenerationEnd> {
  const { signal } = options;
  const last = await readAhead(sequence, prompt, options);
  await options.clearance?.();
  if (signal.aborted) return 'stopped';
  // What counts against words that are repeated is only what the model wrote.
  const recent = new RecentTokens(sequence, options.sampling.repeatPenalty === 1 ? [] : prompt);
  for await (const token of sequence.evaluate(last, samplingOptions(options, recent))) {
    if (signal.aborted) return 'stopped';
    recent.add(token);
    yield token;
    // The next token needs a place, and node-llama-cpp would forget the oldest ones rather than stop.
    if (sequence.nextTokenIndex >= sequence.contextSize - 1) return 'length';
    await options.clearance?.();
    if (signal.aborted) return 'stopped';
  }
  return 'end';
}

/** Reads a prompt step by step, but for the last one, which it gives. Ends early when it is aborted. */
async function readAhead(
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  { signal, pace, onProgress, clearance, place = 0 }: GenerationOptions,
): Promise<Token[]> {
  const begin = sequence.nextTokenIndex;
  const total = prompt.length - begin;
  const rest = () => prompt.slice(sequence.nextTokenIndex);
  // Where the past cannot be cut at any place, a checkpoint before the last token lets another reply begin there.
  const { needsCheckpoints } = sequence;
  for (
    let left = rest();
    left.length > (needsCheckpoints ? 1 : pace.step) && !signal.aborted;
    left = rest()
  ) {
    onProgress?.((total - left.length) / total);
    await clearance?.();
    if (signal.aborted) break;
    const step = left.slice(0, Math.min(pace.step, left.length - 1));
    const start = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(step, { evaluationPriority: priorityOf(place) });
    pace.took(step.length, performance.now() - start);
  }
  if (needsCheckpoints) await sequence.takeCheckpoint();
  return rest();
}

/** The last tokens that a repeat penalty counts. Special ones are not among them: the end of a turn must stay likely. */
class RecentTokens {
  readonly #sequence: LlamaContextSequence;
  readonly tokens: Token[];

  constructor(sequence: LlamaContextSequence, prompt: readonly Token[]) {
    this.#sequence = sequence;
    this.tokens = prompt.slice(-penalizedTokens).filter((token) => !this.#isSpecial(token));
  }

  add(token: Token): void {
    if (this.#isSpecial(token)) return;
    this.tokens.push(token);
    if (this.tokens.length > penalizedTokens) this.tokens.shift();
  }

  #isSpecial(token: Token): boolean {
    return this.#sequence.model.getTokenAttributes(token).control;
  }
}

function samplingOptions(
  { sampling, seed, grammar, place = 0 }: GenerationOptions,
  recent: RecentTokens,
): SequenceEvaluateOptions {
  const {
    temperature,
    topK,
    topP,
    minP,
    repeatPenalty,
    presencePenalty = 0,
    frequencyPenalty = 0,
  } = sampling;
  const penalizes = repeatPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  return {
    ...{ temperature, topK, topP, minP },
    evaluationPriority: priorityOf(place),
    seed: Math.min(seed, drawnSeed - 1),
    ...(grammar && { grammarEvaluationState: grammar }),
    ...(penalizes && {
      repeatPenalty: {
        punishTokens: () => recent.tokens,
        ...{ penalty: repeatPenalty, presencePenalty, frequencyPenalty },
      },
    }),
  };
}
