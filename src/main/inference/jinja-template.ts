import { Template } from '@huggingface/jinja';
import type { ChatTemplate, PromptPart, PromptTurn } from './chat-template.ts';
import { type ThoughtStyle, thoughtStyle } from './thought-style.ts';

/** Stands for the text of a turn while the template is rendered. Nothing in it could be trimmed, escaped or taken for markup. */
const placeholder = (index: number) => `puna-turn-${index}-anup`;
const placeholders = /puna-turn-(\d+)-anup/;

/** What templates disagree about. Tried in this order. */
interface Habits {
  /** The system prompt has a role of its own, or stands before the first message. */
  system: 'role' | 'first message';
  /** A message's content is a text, or a list with one text in it. */
  content: 'text' | 'list';
}
const habits: Habits[] = [
  { system: 'role', content: 'text' },
  { system: 'first message', content: 'text' },
  { system: 'role', content: 'list' },
  { system: 'first message', content: 'list' },
];

/**
 * The template that a model file brings, in Jinja, rendered as its makers do: the conversation and the beginning of a reply.
 * Texts are put in only afterwards, so that they cannot pretend to be special tokens.
 */
export class JinjaTemplate implements ChatTemplate {
  readonly #template: Template;
  readonly #variables: Record<string, string>;
  readonly #habits: Habits;
  readonly replyEnds: readonly string[];
  readonly thoughts: ThoughtStyle;

  /** Throws when the template cannot be read, or loses messages. */
  constructor(source: string, { bos, eos }: { bos: string; eos: string }) {
    this.#template = new Template(source);
    this.#variables = { bos_token: bos, eos_token: eos };
    this.#habits = this.#tryHabits();
    this.replyEnds = this.#findReplyEnds();
    this.thoughts = thoughtStyle(source);
  }

  render(systemPrompt: string, turns: readonly PromptTurn[]): PromptPart[] {
    return this.#render(this.#habits, systemPrompt, turns, true);
  }

  #render(
    { system, content }: Habits,
    systemPrompt: string,
    turns: readonly PromptTurn[],
    beginReply: boolean,
  ): PromptPart[] {
    const hasSystem = systemPrompt !== '';
    const texts = turns.map(({ text }) => text);
    if (hasSystem && system === 'role') texts.unshift(systemPrompt);
    else if (hasSystem) texts[0] = `${systemPrompt}\n\n${texts[0] ?? ''}`;
    const roles = turns.map(({ role }): string => role);
    if (hasSystem && system === 'role') roles.unshift('system');
    const messages = roles.map((role, index) => ({
      role,
      content: content === 'text' ? placeholder(index) : [{ type: 'text', text: placeholder(index) }],
    }));
    const rendered = this.#template.render({
      ...this.#variables,
      ...{ messages, add_generation_prompt: beginReply },
    });
    return partsOf(rendered, texts);
  }

  #tryHabits(): Habits {
    const user: PromptTurn = { role: 'user', text: 'u' };
    const conversations = [[user], [user, { role: 'assistant', text: 'a' } as const, user]];
    let failure: unknown;
    for (const tried of habits) {
      try {
        for (const turns of conversations)
          for (const prompt of ['', 's']) this.#render(tried, prompt, turns, true);
        return tried;
      } catch (thrown) {
        failure ??= thrown;
      }
    }
    throw failure;
  }

  /** What the template puts between a reply and the next message. */
  #findReplyEnds(): string[] {
    const turns: PromptTurn[] = ['user', 'assistant', 'user'].map((role) => ({
      ...{ role: role as PromptTurn['role'], text: role },
    }));
    const parts = this.#render(this.#habits, '', turns, false);
    const reply = parts.findIndex(({ by }, index) => by === 'writer' && index > firstWriter(parts));
    const after = parts[reply + 1];
    return after?.by === 'template' && after.text.trim() !== '' ? [after.text] : [];
  }
}

function firstWriter(parts: PromptPart[]): number {
  return parts.findIndex(({ by }) => by === 'writer');
}

/** Throws when a text is missing, twice there or in another order: then the template wants something else than we gave. */
function partsOf(rendered: string, texts: readonly string[]): PromptPart[] {
  const parts: PromptPart[] = [];
  let next = 0;
  // With a group in the pattern, every second piece is the number of a text.
  for (const [index, piece] of rendered.split(placeholders).entries()) {
    if (index % 2 === 0) {
      if (piece !== '') parts.push({ text: piece, by: 'template' });
      continue;
    }
    if (Number(piece) !== next) throw new Error('The chat template leaves out or repeats a message.');
    parts.push({ text: texts[next] ?? '', by: 'writer' });
    next++;
  }
  if (next !== texts.length) throw new Error('The chat template leaves out a message.');
  return parts;
}
