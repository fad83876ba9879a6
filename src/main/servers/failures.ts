import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { NetworkError, retryAfterMs } from '../downloads/index.ts';

/** A server that is asked, as errors name it. */
export interface AskedServer {
  address: string;
  /** Host and port. */
  host: string;
  key: string | null;
}

export function unreached({ host }: AskedServer, ms: number): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} cannot be reached: there was no connection within ${seconds(ms)}.`,
    'Check that it runs, its address and the network.',
  );
}

export function stoodStill({ host }: AskedServer, ms: number): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} has said nothing for ${seconds(ms)}.`,
    'Look at what it is doing, and try again.',
  );
}

export function redirected({ address, host }: AskedServer, location: string | undefined): NetworkError {
  const to = location === undefined ? null : URL.parse(location, address);
  const place = to && (to.protocol === 'https:' || to.protocol === 'http:') ? to.origin : 'somewhere else';
  return new NetworkError(
    'wrong-answer',
    `${host} redirects to ${place}, and nothing was sent there.`,
    'If that is where its API is, give the server that address.',
  );
}

export function notApi({ host }: AskedServer, text: string): NetworkError {
  const isPage = /^\s*<(!doctype|html|head|body)/i.test(text);
  return new NetworkError(
    'wrong-answer',
    `${host} answers with ${isPage ? 'a web page' : 'something else'} instead of what OpenAI’s API has.`,
    'Check the address: it ends where the API begins, such as in /v1.',
  );
}

export function notDecodable({ host }: AskedServer, encoding: string): NetworkError {
  return new NetworkError(
    'wrong-answer',
    `${host} sends its answer compressed in a way that Puna does not know (${JSON.stringify(encoding.slice(0, 40))}).`,
    'Switch compression off there, or in the proxy in front of it.',
  );
}

export function garbled({ host }: AskedServer): NetworkError {
  return new NetworkError(
    'wrong-answer',
    `${host} sends an answer that is compressed, and cannot be unpacked.`,
    'Switch compression off there, or in the proxy in front of it.',
  );
}

export function endless({ host }: AskedServer): NetworkError {
  return new NetworkError('wrong-answer', `${host} answers without end.`, 'Check its address.');
}

export function notHttp({ host }: AskedServer): NetworkError {
  return new NetworkError(
    'wrong-answer',
    `${host} does not answer as HTTP has it.`,
    'Check the address, and what listens there.',
  );
}

export function brokenOff({ host }: AskedServer): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} ended in the middle of the reply.`,
    'Continue the reply, or make it again.',
  );
}

/** What was asked for: sentences differ. */
export type Wish = { type: 'models' } | { type: 'reply'; model: string; continues: boolean };

/** A failure that a status or an event of a stream tells of. `words`: the body. */
export function refusal(
  server: AskedServer,
  { status, headers, words }: { status: number; headers: IncomingHttpHeaders; words: string },
  wish: Wish,
): NetworkError {
  const { host, key } = server;
  const said = complaintOf(server, words);
  const quoted = said === '' ? '' : ` It says: ${said}`;
  if (status === 401 || status === 403) {
    return new NetworkError(
      'no-access',
      key === null ? `${host} wants a key.${quoted}` : `${host} does not accept the key.${quoted}`,
      key === null
        ? 'Give the server its key.'
        : 'Give the server another one, and check what it may be used for.',
    );
  }
  if (status === 429) {
    const retry = retryAfterMs(headers);
    return new NetworkError(
      'rate-limited',
      `${host} has been asked too often, or its allowance is used up.${quoted}`,
      `Try again ${retry === undefined ? 'later' : `in ${seconds(retry)}`}.`,
      { retryAfterMs: retry },
    );
  }
  if (wish.type === 'reply' && isTooLong(words)) {
    return new NetworkError(
      'wrong-answer',
      `The conversation is too long for ${wish.model} on ${host}.${quoted}`,
      'Begin a new conversation, take files out, or allow shorter replies.',
    );
  }
  if (wish.type === 'reply' && isGone(status, words)) {
    return new NetworkError(
      'not-found',
      `${host} has no model ${wish.model} any more.${quoted}`,
      'Ask the server for its models again, and choose another one.',
    );
  }
  if (status === 404 || status === 405) {
    return new NetworkError(
      'not-found',
      wish.type === 'models'
        ? `${host} has no list of models at ${server.address}.`
        : `${host} has no chat at ${server.address}.${quoted}`,
      'Check the address: it ends where the API begins, such as in /v1.',
    );
  }
  if (status >= 500) {
    return new NetworkError(
      'server-failed',
      `${host} has trouble of its own (${status}).${quoted}`,
      'Try again later.',
    );
  }
  const what =
    wish.type === 'reply' && wish.continues ? 'does not write on where a reply ended' : 'refuses this';
  return new NetworkError(
    'wrong-answer',
    `${host} ${what} (${status}).${quoted}`,
    wish.type === 'reply' && wish.continues
      ? 'Make the reply again instead.'
      : 'Check the settings of the conversation.',
  );
}

/** Such as OpenAI's `{ error: { message } }`, and what FastAPI, Ollama and others make of it. */
const bodySchema = z.union([
  z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message),
  z.object({ error: z.string() }).transform(({ error }) => error),
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ detail: z.string() }).transform(({ detail }) => detail),
  z
    .object({ detail: z.array(z.object({ msg: z.string(), loc: z.array(z.unknown()).optional() })) })
    .transform(({ detail }) => detail.map(({ msg, loc }) => `${loc?.join('.') ?? ''} ${msg}`).join('; ')),
]);

/** As much of a server's words as fits into a sentence. */
const mostSaid = 300;

/** What a server says of a failure, on one line, and never with the key in it. */
function complaintOf({ key }: AskedServer, words: string): string {
  const parsed = bodySchema.safeParse(parseJson(words));
  const told = parsed.success ? parsed.data : '';
  const open = key === null ? told : told.replaceAll(key, '…');
  const line = open.replace(/\s+/g, ' ').trim();
  return line.length > mostSaid ? `${line.slice(0, mostSaid)}…` : line;
}

/** As OpenAI, vLLM, llama-server, Ollama and LM Studio say it. */
export function isTooLong(words: string): boolean {
  return /context_length_exceeded|exceed_context_size|context (length|size|window)|maximum (model|input|prompt) length|too many tokens|prompt is too long/i.test(
    words,
  );
}

function isGone(status: number, words: string): boolean {
  if (status !== 404 && status !== 400) return false;
  return /model_not_found|model .*(not (found|exist)|does not exist|not loaded)|(unknown|invalid|no such) model/is.test(
    words,
  );
}

function seconds(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms / 1000));
  return whole === 1 ? 'a second' : `${whole} seconds`;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
