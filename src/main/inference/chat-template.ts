import type { ThoughtStyle } from './thought-style.ts';

/** One turn as templates want them: never empty, never two of one role in a row. */
export interface PromptTurn {
  role: 'user' | 'assistant';
  text: string;
}

/**
 * A piece of a prompt. What a person or a model wrote is text and nothing but text, even if it looks like a special token; a
 * template's own pieces may be special tokens.
 */
export interface PromptPart {
  text: string;
  by: 'template' | 'writer';
}

/** How a conversation is put to a model. */
export interface ChatTemplate {
  /** The conversation up to where the reply begins. */
  render(systemPrompt: string, turns: readonly PromptTurn[]): PromptPart[];
  /** What stands behind a reply; if the model writes it, the reply has ended. */
  readonly replyEnds: readonly string[];
  readonly thoughts: ThoughtStyle;
}
