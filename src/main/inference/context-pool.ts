import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp';

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

  constructor(context: LlamaContext, sequences: number) {
    this.#context = context;
    this.#sequences = Array.from({ length: sequences }, () => context.getSequence());
  }

  /** In tokens, of one sequence. */
  get contextSize(): number {
    return this.#sequences[0]?.contextSize ?? this.#context.contextSize;
  }

  /** How many tokens are read at once. */
  get batchSize(): number {
    return this.#context.batchSize;
  }

  /**
   * The sequence with which the prompt costs least, brought to the longest beginning that it shares with the prompt.
   * `nextTokenIndex` tells how long that is; at least the prompt's last token is left to be read.
   */
  async take(prompt: Token[]): Promise<LlamaContextSequence> {
    const costs = this.#sequences.map((sequence, index) => {
      const shared = sharedLength(sequence, prompt);
      const weight = index === this.#sequences.length - 1 ? lossWeight.lastUsed : lossWeight.older;
      return { sequence, shared, cost: prompt.length - shared + weight * (sequence.nextTokenIndex - shared) };
    });
    // Among equals the one that was used longest ago, which comes first.
    const { sequence, shared } = costs.reduce((best, each) => (each.cost < best.cost ? each : best));
    this.#sequences.push(...this.#sequences.splice(this.#sequences.indexOf(sequence), 1));
    // Some architectures cannot forget just the end; then they forget more, and nextTokenIndex says so.
    if (sequence.nextTokenIndex > shared) {
      await sequence.eraseContextTokenRanges([{ start: shared, end: sequence.nextTokenIndex }]);
    }
    return sequence;
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
  }
}

function sharedLength(sequence: LlamaContextSequence, prompt: Token[]): number {
  return Math.min(sequence.compareContextTokens(prompt).firstDifferentIndex, prompt.length - 1);
}
