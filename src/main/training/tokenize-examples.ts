import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Example, ExampleTurn } from '../datasets/index.ts';
import type { ChatTemplate, PromptPart } from '../inference/chat-template.ts';
import { modelTemplate } from '../inference/model-template.ts';
import { firstLine } from '../inference/prompt.ts';
import { PromptTokenizer } from '../inference/prompt-tokens.ts';
import type { Sample } from './batches.ts';

/** Turns examples into the tokens that the model reads when it chats, and tells which of them it is to learn to write. */
export class ExampleTokenizer {
  readonly #model: LlamaModel;
  readonly #template: ChatTemplate;
  readonly #tokenizer: PromptTokenizer;
  readonly #context: number;
  /** Examples that did not fit into the context: shortened to their first turns, or cut. */
  shortened = 0;
  /** Examples of which nothing could be learnt. */
  empty = 0;

  constructor(model: LlamaModel, context: number) {
    this.#model = model;
    this.#template = modelTemplate(model);
    this.#tokenizer = new PromptTokenizer(model);
    this.#context = context;
  }

  /** One sample of a conversation, one or several of a text; none where nothing can be learnt. */
  samples(example: Example): Sample[] {
    const samples = example.kind === 'text' ? this.#ofText(example.text) : this.#ofConversation(example);
    const useful = samples.filter(({ learnt }) => learnt.some((is, index) => is && index > 0));
    if (useful.length === 0) this.empty++;
    return useful;
  }

  /** A text longer than the context becomes several samples. All of it is learnt. */
  #ofText(text: string): Sample[] {
    const { bos, eos, shouldPrependBosToken } = this.#model.tokens;
    const begin = shouldPrependBosToken && bos !== null ? [bos] : [];
    const all = [...this.#model.tokenize(text), ...(eos === null ? [] : [eos])];
    const room = this.#context - begin.length;
    const samples: Sample[] = [];
    for (let start = 0; start < all.length; start += room) {
      const tokens = [...begin, ...all.slice(start, start + room)];
      samples.push({ tokens, learnt: tokens.map((_, index) => index > 0) });
    }
    return samples;
  }

  /** What does not fit loses its last turns; a first exchange that is too long is cut where the context ends. */
  #ofConversation({ system, turns }: { system: string; turns: readonly ExampleTurn[] }): Sample[] {
    const whole = this.#render(system, turns);
    if (whole.tokens.length <= this.#context) return [whole];
    this.shortened++;
    let fitting: Sample | null = null;
    // More exchanges are more tokens, so that halving finds the most that fit: long chats have hundreds.
    let [fits, tooMany] = [0, turns.length / 2];
    while (tooMany - fits > 1) {
      const exchanges = Math.floor((fits + tooMany) / 2);
      const shorter = this.#render(system, turns.slice(0, exchanges * 2));
      if (shorter.tokens.length > this.#context) tooMany = exchanges;
      else [fits, fitting] = [exchanges, shorter];
    }
    if (fitting) return [fitting];
    const first = this.#render(system, turns.slice(0, 2));
    const cut = <Element>(all: readonly Element[]) => all.slice(0, this.#context);
    return [{ tokens: cut(first.tokens), learnt: cut(first.learnt) }];
  }

  /**
   * As the model's template puts it. A reply is tokenized on its own, as the model writes it, and is learnt up to the token
   * that ends it, unless its turn is only to be read, as everything else is.
   */
  #render(system: string, turns: readonly ExampleTurn[]): Sample {
    const parts = splitAtTexts(this.#template.render(system, turns), system, turns);
    const known = parts.map((part) =>
      part.isReply ? { ...part, tokens: this.#model.tokenize(part.text, false, 'trimLeadingSpace') } : part,
    );
    const { tokens, spans } = this.#tokenizer.tokenizeKnown(known);
    const learnt = new Array<boolean>(tokens.length).fill(false);
    let end = 0;
    const replies = known.filter(({ isReply }) => isReply);
    for (const [index, { from, to }] of spans.entries()) {
      end = Math.max(this.#endOfReply(tokens, to), to);
      if (replies[index]?.isLearnt) learnt.fill(true, from, end);
    }
    // Behind the last reply stands the beginning of another one.
    return { tokens: tokens.slice(0, end), learnt: learnt.slice(0, end) };
  }

  /** One behind the token that ends the reply whose text ends at `to`. */
  #endOfReply(tokens: readonly Token[], to: number): number {
    const next = tokens[to];
    if (next === undefined) return to;
    const { control } = this.#model.getTokenAttributes(next);
    if (control || this.#model.isEogToken(next)) return to + 1;
    // Words end it, such as the next speaker's name: those at which the chat stops.
    const [words = ''] = this.#template.replyEnds;
    return Math.min(tokens.length, to + this.#model.tokenize(firstLine(words)).length);
  }
}

type Part = PromptPart & { isReply: boolean; isLearnt: boolean };

/** The same parts, of which each reply is one of its own, whatever a template has joined it with. */
function splitAtTexts(parts: readonly PromptPart[], system: string, turns: readonly ExampleTurn[]): Part[] {
  const read = { isReply: false, isLearnt: false };
  const texts = turns.map(({ role, text, learnt }) =>
    role === 'assistant' ? { text, isReply: true, isLearnt: learnt !== false } : { text, ...read },
  );
  const waiting = system === '' ? texts : [{ text: system, ...read }, ...texts];
  const result: Part[] = [];
  const push = ({ by }: PromptPart, text: string, what: Omit<Part, 'by' | 'text'> = read) => {
    if (text !== '') result.push({ by, text, isReply: what.isReply, isLearnt: what.isLearnt });
  };
  for (const part of parts) {
    let rest = part.text;
    while (part.by === 'writer' && waiting[0]) {
      const { text, ...what } = waiting[0];
      const at = rest.indexOf(text);
      if (at < 0) break;
      push(part, rest.slice(0, at));
      push(part, text, what);
      rest = rest.slice(at + text.length);
      waiting.shift();
    }
    push(part, rest);
  }
  return result;
}
