import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/**
 * A stand-in for servers of OpenAI's API, written after what these document of themselves: OpenAI's reference of chat completions and
 * their chunks, vLLM's "OpenAI-compatible server" and "reasoning outputs", llama.cpp's tools/server/README, and the HTML standard's
 * chapter on server-sent events.
 */
export interface OpenAiServer {
  /** Up to `/v1`. */
  address: string;
  host: string;
  /** What it was asked, oldest first. */
  asked: Asked[];
  /** How it answers from now on. */
  answers: { models: Answer; chat: Answer };
  close(): Promise<void>;
}

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

export type Answer = (response: ServerResponse, asked: Asked) => void | Promise<void>;

export async function startOpenAiServer({
  models = ['llama'],
  chat = streams(['Hello', ' there', '.']),
}: { models?: readonly string[]; chat?: Answer } = {}): Promise<OpenAiServer> {
  const asked: Asked[] = [];
  const answers = { models: listed(models), chat };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const body = method === 'POST' ? ((await json(request)) as Asked['body']) : {};
    const one = { method, path, headers, body };
    asked.push(one);
    if (method === 'GET' && path === '/v1/models') return answers.models(response, one);
    if (method === 'POST' && path === '/v1/chat/completions') return answers.chat(response, one);
    return refuses(404, { error: { message: `No ${path}` } })(response, one);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ address: `http://${host}/v1`, host, asked, answers },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** `GET /models`, as OpenAI has it, with what vLLM adds. */
export function listed(models: readonly (string | { id: string; max_model_len: number })[]): Answer {
  const data = models.map((model) => ({
    ...{ object: 'model', created: 1_700_000_000, owned_by: 'them' },
    ...(typeof model === 'string' ? { id: model } : model),
  }));
  return (response) => answerJson(response, 200, { object: 'list', data });
}

/** An answer with a status that is no success. */
export function refuses(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => answerJson(response, status, body, headers);
}

export function answersPage(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><html><body>Please sign in.</body></html>');
}

export function redirects(location: string): Answer {
  return (response) => void response.writeHead(307, { location }).end();
}

/** Says nothing for ever. */
export function saysNothing(): void {
  // The connection stays open.
}

export type Piece = string | { reasoning_content: string } | { reasoning: string };

export interface Ending {
  /** Null: the stream does not say why it ends. */
  finish?: string | null;
  done?: boolean;
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  /** What comes instead of an end. */
  instead?: (response: ServerResponse) => void;
}

/** A reply in chunks: the role, each piece, why it ends, and where it was wanted, the usage. */
export function streams(pieces: readonly Piece[], ending: Ending = {}): Answer {
  const { finish = 'stop', done = true, instead } = ending;
  const { usage = { prompt_tokens: 12, completion_tokens: pieces.length } } = ending;
  return (response, { body }) => {
    beginStream(response);
    const chunk = (choices: unknown[], more: object = {}) =>
      sendEvent(response, {
        ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: body.model },
        ...{ choices, ...more },
      });
    const say = (delta: object, finish_reason: string | null = null) =>
      chunk([{ index: 0, delta, logprobs: null, finish_reason }]);
    say({ role: 'assistant', content: '' });
    for (const piece of pieces) say(typeof piece === 'string' ? { content: piece } : piece);
    if (instead) return instead(response);
    if (finish !== null) say({}, finish);
    const wantsUsage = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage;
    if (usage && wantsUsage) chunk([], { usage: { ...usage, total_tokens: 0 } });
    if (done) response.write('data: [DONE]\n\n');
    response.end();
  };
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

export function sendEvent(response: ServerResponse, data: unknown): void {
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}

/** A server that does not know some parameters and says so as OpenAI's does, one after the other. */
export function knowsNot(names: readonly string[], otherwise: Answer): Answer {
  return (response, asked) => {
    const unknown = names.find((name) => name in asked.body);
    if (unknown === undefined) return otherwise(response, asked);
    const message = `Unrecognized request argument supplied: ${unknown}`;
    const error = { message, type: 'invalid_request_error', param: null, code: null };
    return answerJson(response, 400, { error });
  };
}

function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
