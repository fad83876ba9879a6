import type { LlamaModel, Token } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import type { ChatTemplate, PromptPart } from './chat-template.ts';
import { type CountedTurn, cutBefore, earliestFitting, promptTurns } from './conversation-cut.ts';
import type { ReplyInput } from './messages.ts';
import type { PromptTokenizer } from './prompt-tokens.ts';
import { type MarkedPart, opensThought, type ThoughtStyle } from './thought-style.ts';

/** Left free for the reply while there are older turns to leave out instead: a quarter of the context, but no more than this. */
const comfortableReply = 1024;
/** Left free for the reply in any case: an eighth of the context, but no more than this. */
const smallestReply = 64;

export interface Prompt {
  tokens: Token[];
  /** At which the reply ends, besides the model's own end tokens. */
  stopTexts: string[];
  stopTokens: Set<Token>;
  thoughts: ThoughtStyle;
  /** What the reply begins with. */
  begins: MarkedPart;
  droppedTurns: number;
}

/** What a prompt needs of a model. */
export interface Speaker {
  model: LlamaModel;
  template: ChatTemplate;
  tokenizer: PromptTokenizer;
  /** The tokens of a text that the model has written itself, where they are still known. */
  recall: (text: string) => Token[] | undefined;
}

export type Conversation = Pick<ReplyInput, 'systemPrompt' | 'turns' | 'continued' | 'thoughtless'>;

/**
 * A conversation as the tokens that the model reads, up to where its reply begins or goes on. What does not fit is left out:
 * the oldest turns, never the system prompt; nothing where it is to be `whole`. Errors: `invalid-input` when the last message
 * alone is too long, or the whole is.
 */
export function buildPrompt(
  speaker: Speaker,
  { systemPrompt, turns, continued, thoughtless = false }: Conversation,
  contextSize: number,
  { whole = false } = {},
): Prompt {
  const { model, template, tokenizer } = speaker;
  // Whoever wants all of it read wants no room kept for the reply.
  const most = contextSize - 1;
  const comfortable = whole ? most : contextSize - Math.min(comfortableReply, Math.floor(contextSize / 4));
  const possible = whole ? most : contextSize - Math.min(smallestReply, Math.floor(contextSize / 8));
  const conversation = promptTurns(turns);
  const render = (kept: CountedTurn[]) => {
    const parts = template.render(systemPrompt, kept);
    const begun = begunReply({ continued, thoughtless }, template.thoughts, parts.at(-1));
    const known = [...parts, ...begun.parts].map((part) =>
      part.by === 'writer' ? { ...part, tokens: speaker.recall(part.text) } : part,
    );
    return { tokens: tokenizer.tokenize(known), begins: begun.begins };
  };

  const lengthOf = ({ text }: CountedTurn) => model.tokenize(text).length;
  let first = whole ? 0 : earliestFitting(conversation, comfortable, lengthOf);
  let rendered = render(conversation.slice(first));
  if (whole && rendered.tokens.length > possible) throw tooLongWhole(rendered.tokens.length, possible);
  if (first > 0 || rendered.tokens.length > comfortable) {
    const kept = conversation.slice(first);
    const texts = kept.reduce((sum, turn) => sum + lengthOf(turn), 0);
    const added = (rendered.tokens.length - texts) / kept.length;
    first = cutBefore(conversation, comfortable, (turn) => lengthOf(turn) + added);
    rendered = render(conversation.slice(first));
    // What a template adds is not the same for every turn, so that the cut may be a little too late.
    while (rendered.tokens.length > comfortable) {
      const next = conversation.findIndex(({ role }, index) => index > first && role === 'user');
      if (next < 0) break;
      first = next;
      rendered = render(conversation.slice(first));
    }
    if (rendered.tokens.length > possible)
      throw tooLong(rendered.tokens.length, possible, continued !== null);
  }
  const kept = conversation.slice(first).reduce((sum, turn) => sum + turn.count, 0);
  return {
    ...rendered,
    ...stops(template, tokenizer),
    thoughts: template.thoughts,
    droppedTurns: turns.length - kept,
  };
}

/** A reply that ended early, as the model wrote it, and in which part of it the model goes on. */
function begunReply(
  { continued, thoughtless }: { continued: ReplyInput['continued']; thoughtless: boolean },
  thoughts: ThoughtStyle,
  promptEnd: PromptPart | undefined,
): { parts: PromptPart[]; begins: MarkedPart } {
  const open = promptEnd?.by === 'template' && opensThought(promptEnd.text, thoughts);
  const { text, thinking } = continued ?? { text: '', thinking: '' };
  const mark = (marked: string): PromptPart[] => (marked === '' ? [] : [{ text: marked, by: 'template' }]);
  if (text === '' && thinking === '') {
    if (thoughtless) return { parts: mark(open ? thoughts.between : thoughts.skipping), begins: 'text' };
    return { parts: [], begins: open ? 'thinking' : 'text' };
  }
  const written = (words: string): PromptPart => ({ text: words, by: 'writer' });
  if (thinking === '') {
    return { parts: [...mark(open ? thoughts.between : thoughts.plain), written(text)], begins: 'text' };
  }
  const thought = [...mark(open ? '' : thoughts.opening), written(thinking)];
  if (text === '') return { parts: thought, begins: 'thinking' };
  return { parts: [...thought, ...mark(thoughts.between), written(text)], begins: 'text' };
}

/** What stands behind a reply in this template: a special token, or words such as the next speaker's name. */
function stops(
  { replyEnds }: ChatTemplate,
  tokenizer: PromptTokenizer,
): Pick<Prompt, 'stopTexts' | 'stopTokens'> {
  const stopTexts: string[] = [];
  const stopTokens = new Set<Token>();
  for (const end of replyEnds) {
    const piece = tokenizer.pieces(end).find((each) => typeof each !== 'string' || each.trim() !== '');
    if (typeof piece === 'string') stopTexts.push(firstLine(piece));
    else if (piece !== undefined) stopTokens.add(piece);
  }
  return { stopTexts, stopTokens };
}

/** The first line with something on it, and the beginning of a line where that is its place. */
export function firstLine(text: string): string {
  const words = text.trimStart();
  const lineBreak = text.slice(0, -words.length).includes('\n') ? '\n' : '';
  return `${lineBreak}${words.split('\n', 1)[0]?.trimEnd() ?? ''}`;
}

function tooLongWhole(tokens: number, limit: number): PunaError {
  return new PunaError(
    'invalid-input',
    `The messages are too long: together they have ${tokens} tokens, and ${limit} fit.`,
    'Leave some out, or load the model with a longer context.',
  );
}

function tooLong(tokens: number, limit: number, continued: boolean): PunaError {
  return continued
    ? new PunaError(
        'invalid-input',
        `This reply is too long to go on: with its question it has ${tokens} tokens, and ${limit} fit.`,
        'Ask for the rest in a new message, or load the model with a longer context.',
      )
    : new PunaError(
        'invalid-input',
        `The last message is too long: with the system prompt it has ${tokens} tokens, and ${limit} fit.`,
        'Shorten it or its files, or load the model with a longer context.',
      );
}
