import type {
  ChatHistoryItem,
  ChatModelResponse,
  ChatWrapper,
  LlamaModel,
  LlamaText,
  Token,
} from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import type { ReplyInput, Turn } from './messages.ts';
import { templateTags, textOf, type ThoughtTags } from './template.ts';

/** Left free for the reply: a quarter of the context, but no more than this. */
const mostReserved = 1024;

export interface Prompt {
  tokens: Token[];
  /** Texts and tokens at which the reply ends, besides the model's own end tokens. */
  stops: string[];
  stopTokens: Set<Token>;
  /** How thoughts are marked, and whether the reply begins inside one. */
  thoughts: ThoughtTags & { open: boolean };
  droppedTurns: number;
}

type Conversation = Pick<ReplyInput, 'systemPrompt' | 'turns' | 'continued'>;

/**
 * A conversation as the tokens that the model reads, up to where its reply begins or goes on. What does not fit is left out:
 * the oldest turns, never the system prompt. Errors: `invalid-input` when the last message alone is too long.
 */
export function buildPrompt(
  { model, template }: { model: LlamaModel; template: ChatWrapper },
  conversation: Conversation,
  contextSize: number,
): Prompt {
  const limit = contextSize - Math.min(mostReserved, Math.floor(contextSize / 4));
  const render = (turns: Turn[]) => {
    const state = template.generateContextState({ chatHistory: chatHistory({ ...conversation, turns }) });
    return {
      text: state.contextText,
      stops: state.stopGenerationTriggers,
      tokens: tokenize(model, state.contextText),
    };
  };
  const { turns } = conversation;
  let dropped = 0;
  let rendered = render(turns);
  if (rendered.tokens.length > limit) {
    const lengths = turnLengths(model, turns, rendered.tokens.length);
    dropped = turnsToDrop(turns, lengths, { excess: rendered.tokens.length - limit, unit: limit / 4 });
    rendered = render(turns.slice(dropped));
    // The lengths are estimates, and may fall a little short.
    while (rendered.tokens.length > limit && turns.length - dropped > 1) {
      dropped = nextUserTurn(turns, dropped + 1);
      rendered = render(turns.slice(dropped));
    }
    if (rendered.tokens.length > limit) throw tooLong(rendered.tokens.length, limit);
  }
  const tags = templateTags(template);
  return {
    tokens: rendered.tokens,
    stops: rendered.stops.map((trigger) => textOf(trigger)).filter((text) => text !== ''),
    stopTokens: new Set(rendered.stops.flatMap((trigger) => singleToken(tokenize(model, trigger)))),
    thoughts: { ...tags, open: beginsInThought(textOf(rendered.text), tags, conversation.continued) },
    droppedTurns: dropped,
  };
}

/** Tokens of each turn: its text, and an equal share of what the template adds. */
function turnLengths(model: LlamaModel, turns: Turn[], total: number): number[] {
  const texts = turns.map(({ text }) => model.tokenize(text).length);
  const added = (total - texts.reduce((sum, length) => sum + length, 0)) / turns.length;
  return texts.map((length) => length + added);
}

/**
 * How many of the oldest turns to leave out. In steps of a quarter of the context, so that the next messages find the same
 * beginning in the cache instead of reading everything anew each time.
 */
function turnsToDrop(
  turns: Turn[],
  lengths: number[],
  { excess, unit }: { excess: number; unit: number },
): number {
  const wanted = Math.ceil(excess / unit) * unit;
  let removed = 0;
  for (let dropped = 0; dropped < turns.length - 1; dropped++) {
    if (removed >= wanted) return nextUserTurn(turns, dropped);
    removed += lengths[dropped] ?? 0;
  }
  return nextUserTurn(turns, turns.length - 1);
}

/** What is left begins with the person: templates insist on it. */
function nextUserTurn(turns: Turn[], from: number): number {
  const at = turns.findIndex(({ role }, index) => index >= from && role === 'user');
  return at < 0 ? turns.length - 1 : at;
}

function chatHistory({ systemPrompt, turns, continued }: Conversation): ChatHistoryItem[] {
  const history: ChatHistoryItem[] = systemPrompt === '' ? [] : [{ type: 'system', text: systemPrompt }];
  for (const { role, text } of turns) {
    history.push(role === 'user' ? { type: 'user', text } : { type: 'model', response: [text] });
  }
  return [...history, { type: 'model', response: continued ? begunResponse(continued) : [] }];
}

/** A reply that ended early, as the template is to write it; it leaves the last reply open. */
function begunResponse({
  text,
  thinking,
}: NonNullable<ReplyInput['continued']>): ChatModelResponse['response'] {
  const thought = { type: 'segment', segmentType: 'thought', text: thinking, ended: text !== '' } as const;
  return [...(thinking === '' ? [] : [thought]), ...(text === '' ? [] : [text])];
}

function tokenize(model: LlamaModel, text: LlamaText): Token[] {
  return text.tokenize(model.tokenizer);
}

function singleToken(tokens: Token[]): Token[] {
  return tokens.length === 1 ? tokens : [];
}

/** Some templates open the thought themselves, and a reply may have been stopped in the middle of one. */
function beginsInThought(prompt: string, tags: ThoughtTags, continued: ReplyInput['continued']): boolean {
  if (continued && (continued.text !== '' || continued.thinking !== '')) return continued.text === '';
  return tags.openedOnStart || (tags.prefix !== '' && prompt.trimEnd().endsWith(tags.prefix.trim()));
}

function tooLong(tokens: number, limit: number): PunaError {
  return new PunaError(
    'invalid-input',
    `The last message is too long: with the system prompt it has ${tokens} tokens, and ${limit} fit.`,
    'Shorten it or its files, or load the model with a longer context.',
  );
}
