import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp';
import { ReadingPace } from './reading-pace.ts';

/**
 * What is lost counts half of what must be read again: it may never be asked for. Of a sequence that was not used last, it
 * counts less still.
 */
const lossWeight = { lastUsed: 0.5, older: 0.1 };

/** The sequences of one context. Each remembers the tokens of one conversation, or of one branch of it. */
export class ContextPool {
  readonly #context: LlamaContext;
  /** The last used one is last. */
  readonly #sequences: LlamaContextSequence[];
  readonly #places: ReadonlyMap<LlamaContextSequence, number>;
  readonly pace: ReadingPace;

  constructor(context: LlamaContext, sequences: number) {
    this.#context = context;
    this.#sequences = Array.from({ length: sequences }, () => context.getSequence());
    this.#places = new Map(this.#sequences.map((sequence, place) => [sequence, place]));
    this.pace = new ReadingPace(context.batchSize);
  }

  /** In tokens, of one sequence. */
  get contextSize(): number {
    return this.#context.contextSize;
  }

  get sequences(): number {
    return this.#sequences.length;
  }

  /**
   * The sequence with which the prompt costs least, brought to the longest beginning that it shares with the prompt.
   * `nextTokenIndex` tells how long that is; at least the prompt's last token is left to be read. It is one that is not `busy`,
   * of which there must be one, and is busy from then on.
   */
  async take(
    prompt: readonly Token[],
    busy = new Set<LlamaContextSequence>(),
  ): Promise<LlamaContextSequence> {
    const free = this.#sequences.filter((sequence) => !busy.has(sequence));
    const costs = free.map((sequence, index) => {
      const kept = keepable(sequence, sharedLength(sequence, prompt));
      const weight = index === free.length - 1 ? lossWeight.lastUsed : lossWeight.older;
      return { sequence, kept, cost: prompt.length - kept + weight * (sequence.nextTokenIndex - kept) };
    });
    // Among equals the one that was used longest ago, which comes first.
    const { sequence, kept } = costs.reduce((best, each) => (each.cost < best.cost ? each : best));
    this.#sequences.push(...this.#sequences.splice(this.#sequences.indexOf(sequence), 1));
    busy.add(sequence);
    if (sequence.nextTokenIndex > kept) {
      await sequence.eraseContextTokenRanges([{ start: kept, end: sequence.nextTokenIndex }]);
    }
    return sequence;
  }

  /** The sequence's number in its context, from 0 on. */
  placeOf(sequence: LlamaContextSequence): number {
    return this.#places.get(sequence) ?? 0;
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
  }
}

/** How many tokens at its beginning a sequence shares with a prompt, of which the last one must be read in any case. */
function sharedLength(sequence: LlamaContextSequence, prompt: readonly Token[]): number {
  const { firstDifferentIndex } = sequence.compareContextTokens([...prompt]);
  return Math.min(firstDifferentIndex, prompt.length - 1);
}

/**
 * To how many tokens a sequence can be shortened, at most `shared`, so that nothing needs to be read again. Most models can
 * forget their end at any place. Those with a sliding window remember only the last part of it, and others have nothing but
 * the checkpoints that were made.
 */
function keepable(sequence: LlamaContextSequence, shared: number): number {
  if (!sequence.needsCheckpoints || shared === 0 || shared === sequence.nextTokenIndex) return shared;
  const { isRecurrent, isHybrid, swaSize } = sequence.model.fileInsights;
  if (!isRecurrent && !isHybrid) {
    return sequence.stateCellsStartIndex <= Math.max(0, shared - (swaSize ?? 0)) ? shared : 0;
  }
  const toReadAgain = sequence.getRestoreToPrefixIndexEvaluationSize(shared);
  // From a checkpoint's last token on; without a checkpoint, everything would have to be read again.
  return toReadAgain <= 0 || toReadAgain >= shared ? 0 : shared - toReadAgain + 1;
}
