import { randomUUID } from 'node:crypto';
import type { ModelHost } from '../chat/index.ts';
import type { CompletionInput, ReplyResult } from '../inference/messages.ts';
import type { Exchange } from './exchange.ts';
import { anyObjectGrammar, jsonGrammar } from './json-grammar.ts';
import type { ApiModels } from './models.ts';
import { conversationOf } from './prompt.ts';
import { type ChatRequest, parseChat, parseCompletion, type WritingRequest } from './requests.ts';
import { samplingOf, stopsOf } from './sampling.ts';
import type { Turns } from './turns.ts';

export interface WritingServices {
  models: ApiModels;
  turns: Turns;
  host: Pick<ModelHost, 'complete' | 'embed'>;
}

/** What the two endpoints that write say differently. */
interface Form {
  id: string;
  objects: { whole: string; piece: string };
  /** What is said before the first piece; null: nothing. */
  opening: object | null;
  piece(part: 'text' | 'thinking', piece: string): object;
  closing: object;
  whole(text: string, thinking: string): object;
}

/** `POST /v1/chat/completions` */
export async function chatCompletion(exchange: Exchange, services: WritingServices): Promise<void> {
  const request = parseChat(await exchange.body());
  const grammar = grammarOf(request);
  // A grammar has no place for thoughts.
  const thoughtless = grammar !== null || request.reasoning_effort === 'none';
  const prompt = conversationOf(request.messages, thoughtless);
  await write(
    exchange,
    services,
    request,
    { prompt, grammar },
    {
      id: `chatcmpl-${randomUUID()}`,
      objects: { whole: 'chat.completion', piece: 'chat.completion.chunk' },
      opening: { delta: { role: 'assistant', content: '' }, logprobs: null },
      piece: (part, piece) => ({
        delta: part === 'text' ? { content: piece } : { reasoning_content: piece },
        logprobs: null,
      }),
      closing: { delta: {}, logprobs: null },
      whole: (content, thinking) => ({
        message: {
          ...{ role: 'assistant', content, refusal: null },
          ...(thinking !== '' && { reasoning_content: thinking }),
        },
        logprobs: null,
      }),
    },
  );
}

/** `POST /v1/completions` */
export async function completion(exchange: Exchange, services: WritingServices): Promise<void> {
  const request = parseCompletion(await exchange.body());
  const prompt = { text: [request.prompt ?? ''].flat().join('') };
  const say = (text: string) => ({ text, logprobs: null });
  await write(
    exchange,
    services,
    request,
    { prompt, grammar: null },
    {
      id: `cmpl-${randomUUID()}`,
      objects: { whole: 'text_completion', piece: 'text_completion' },
      opening: null,
      piece: (_part, piece) => say(piece),
      closing: say(''),
      whole: say,
    },
  );
}

function grammarOf({ response_format: format }: ChatRequest): string | null {
  if (!format || format.type === 'text') return null;
  if (format.type === 'json_object') return anyObjectGrammar;
  return format.json_schema.schema ? jsonGrammar(format.json_schema.schema) : anyObjectGrammar;
}

async function write(
  exchange: Exchange,
  { models, turns, host }: WritingServices,
  request: WritingRequest,
  wanted: Pick<CompletionInput, 'prompt' | 'grammar'>,
  form: Form,
): Promise<void> {
  const speaker = await models.find(request.model);
  const { adapters } = speaker;
  const input = { ...wanted, adapters, sampling: samplingOf(request), stop: stopsOf(request) };
  const streams = request.stream ?? false;
  const telling = new Telling(exchange, form, request);
  const said = { text: '', thinking: '' };
  const { signal } = exchange;
  const result = await turns.run(speaker, { signal, begun: () => exchange.begun }, (path) => {
    Object.assign(said, { text: '', thinking: '' });
    return host.complete(
      { ...input, path },
      {
        signal,
        onEvent(event) {
          if (event.type !== 'piece') return;
          if (streams) telling.piece(event.part, event.piece);
          else said[event.part] += event.piece;
        },
      },
    );
  });
  if (streams) telling.end(result);
  else telling.whole(said, result);
}

/** Tells what is written in the form of an endpoint. */
class Telling {
  readonly #exchange: Exchange;
  readonly #form: Form;
  readonly #request: WritingRequest;
  readonly #created = Math.floor(Date.now() / 1000);
  #opened = false;

  constructor(exchange: Exchange, form: Form, request: WritingRequest) {
    this.#exchange = exchange;
    this.#form = form;
    this.#request = request;
  }

  piece(part: 'text' | 'thinking', piece: string): void {
    this.#open();
    this.#tell([this.#choice(this.#form.piece(part, piece), null)]);
  }

  end(result: ReplyResult): void {
    this.#open();
    this.#tell([this.#choice(this.#form.closing, finishReason(result))]);
    if (this.#tellsUsage) this.#tell([], usage(result));
    this.#exchange.end();
  }

  whole({ text, thinking }: { text: string; thinking: string }, result: ReplyResult): void {
    const choices = [this.#choice(this.#form.whole(text, thinking), finishReason(result))];
    this.#exchange.answer({ ...this.#head(this.#form.objects.whole), choices, usage: usage(result) });
  }

  get #tellsUsage(): boolean {
    return this.#request.stream_options?.include_usage ?? false;
  }

  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    if (this.#form.opening) this.#tell([this.#choice(this.#form.opening, null)]);
  }

  #tell(choices: object[], counted: object | null = null): void {
    const usage = this.#tellsUsage ? { usage: counted } : {};
    this.#exchange.tell({ ...this.#head(this.#form.objects.piece), choices, ...usage });
  }

  #choice(said: object, finish: string | null): object {
    return { index: 0, ...said, finish_reason: finish };
  }

  #head(object: string): object {
    return { id: this.#form.id, object, created: this.#created, model: this.#request.model };
  }
}

function finishReason({ finish }: ReplyResult): string {
  return finish === 'length' ? 'length' : 'stop';
}

function usage({ promptTokens, cachedTokens, tokens }: ReplyResult): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
