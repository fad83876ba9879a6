import {
  type ChatHistoryItem,
  type ChatWrapper,
  GeneralChatWrapper,
  type LlamaModel,
  LlamaText,
  resolveChatWrapper,
  SpecialToken,
  SpecialTokensText,
} from 'node-llama-cpp';
import type { ChatTemplate, PromptPart, PromptTurn } from './chat-template.ts';
import { type ThoughtStyle, thoughtStyle } from './thought-style.ts';

/** One of node-llama-cpp's templates, for models that bring none of their own or one that does not work. */
export class WrapperTemplate implements ChatTemplate {
  readonly #wrapper: ChatWrapper;
  readonly #model: LlamaModel;
  readonly replyEnds: readonly string[];
  readonly thoughts: ThoughtStyle;

  constructor(model: LlamaModel, source: string) {
    this.#model = model;
    // Without the beginning token: from that alone node-llama-cpp would conclude that every old model speaks Llama 2.
    const { filename, fileInfo, tokenizer, llama } = model;
    this.#wrapper =
      resolveChatWrapper({ ...(filename !== undefined && { filename }), fileInfo, tokenizer, llama }) ??
      new GeneralChatWrapper();
    const history: ChatHistoryItem[] = [
      { type: 'user', text: 'u' },
      { type: 'model', response: [] },
    ];
    this.replyEnds = this.#wrapper
      .generateContextState({ chatHistory: history })
      .stopGenerationTriggers.map((trigger) => textOf(trigger))
      .filter((text) => text.trim() !== '');
    this.thoughts = thoughtStyle(source);
  }

  render(systemPrompt: string, turns: readonly PromptTurn[]): PromptPart[] {
    const history: ChatHistoryItem[] = systemPrompt === '' ? [] : [{ type: 'system', text: systemPrompt }];
    for (const { role, text } of turns) {
      history.push(role === 'user' ? { type: 'user', text } : { type: 'model', response: [text] });
    }
    history.push({ type: 'model', response: [] });
    const { contextText } = this.#wrapper.generateContextState({ chatHistory: history });
    return contextText.values.map((value): PromptPart => {
      if (value instanceof SpecialToken) return { text: this.#textOfToken(value), by: 'template' };
      if (value instanceof SpecialTokensText) return { text: value.value, by: 'template' };
      return { text: typeof value === 'string' ? value : '', by: 'writer' };
    });
  }

  #textOfToken(token: SpecialToken): string {
    return this.#model.detokenize(token.tokenize(this.#model.tokenizer), true);
  }
}

/** A trigger's characters; the model's own end tokens, which have none, are known without it. */
function textOf(trigger: LlamaText): string {
  return LlamaText(trigger)
    .values.map((part) => {
      if (typeof part === 'string') return part;
      return part instanceof SpecialTokensText ? part.value : '';
    })
    .join('');
}
