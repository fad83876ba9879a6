import type { Token } from 'node-llama-cpp';

/** Tokens of so many replies are kept: some megabytes. */
const mostTokens = 262_144;

/**
 * Remembers with which tokens the model wrote its replies. There are many ways to write a text in tokens; only with the very
 * same ones is a reply found in the cache when it becomes part of the next prompt.
 */
export class ReplyMemory {
  /** By text, the last used one last. */
  readonly #replies = new Map<string, Token[]>();
  #tokens = 0;

  remember(text: string, tokens: Token[]): void {
    this.#forget(text);
    this.#replies.set(text, tokens);
    this.#tokens += tokens.length;
    for (const oldest of this.#replies.keys()) {
      if (this.#tokens <= mostTokens) return;
      this.#forget(oldest);
    }
  }

  recall(text: string): Token[] | undefined {
    const tokens = this.#replies.get(text);
    if (!tokens) return undefined;
    this.#replies.delete(text);
    this.#replies.set(text, tokens);
    return tokens;
  }

  #forget(text: string): void {
    this.#tokens -= this.#replies.get(text)?.length ?? 0;
    this.#replies.delete(text);
  }
}
