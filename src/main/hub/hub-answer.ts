import type { IncomingMessage } from 'node:http';
import { NetworkError, retryAfterMs } from '../downloads/index.ts';
import type { Answer } from '../downloads/request.ts';
import { type Patience, StallWatch } from '../downloads/stall.ts';

/** What was asked for, as an error names it. */
export interface Asked {
  /** Such as `the repository Qwen/Qwen3-8B-GGUF` or `the search`. */
  what: string;
  /** Whether a token went along. */
  hasToken: boolean;
  /** Its page, where conditions are accepted. */
  page: string;
  patience: Patience;
}

/** No list of files of a repository is longer; what is longer is no answer of a hub. */
const mostBytes = 32 * 1024 * 1024;

/** The text of an answer that is one. Errors: `NetworkError`. */
export async function textOf(answer: Answer, asked: Asked): Promise<string> {
  const { status, url, body } = answer;
  if (status !== 200) {
    const words = await readText(body, url.host, asked).catch(() => '');
    throw refusal(answer, words, asked);
  }
  return readText(body, url.host, asked);
}

/** The same as JSON, not yet looked at. */
export async function jsonOf(answer: Answer, asked: Asked): Promise<unknown> {
  const { host } = answer.url;
  const text = await textOf(answer, asked);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const isPage = /^\s*<(!doctype|html|head|body)/i.test(text);
    const what = isPage ? 'with a web page' : 'with something that is no JSON';
    throw new NetworkError(
      'wrong-answer',
      `${host} answers ${what} instead of ${asked.what}.`,
      'Open the address in a browser: the network may want you to sign in, or it is not a hub.',
      { cause },
    );
  }
}

async function readText(body: IncomingMessage, host: string, { what, patience }: Asked): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  using watch = new StallWatch(patience, () => body.destroy(stoodStill(host, what, patience)));
  watch.waiting = true;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    watch.arrived(piece.byteLength);
    if (bytes > mostBytes) {
      throw new NetworkError('wrong-answer', `${host} answers without end.`, 'Check the address of the hub.');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function stoodStill(host: string, what: string, { ms }: Patience): NetworkError {
  return new NetworkError(
    'unreachable',
    `${host} has sent next to nothing of ${what} for ${Math.ceil(ms / 1000)} seconds.`,
    'Check the connection to the network, and try again later.',
    { again: true },
  );
}

/** Where a person gives Puna a token: commands cannot open what the desktop has sealed. */
export const tokenPlaces = `in the app's settings, or for commands HF_TOKEN or "puna models token"`;

/** The hub says in a header of its own what it means: it has no repository for somebody who may not see it. */
function refusal({ status, headers, url }: Answer, words: string, asked: Asked): NetworkError {
  const { host } = url;
  const { what, hasToken, page } = asked;
  const code = headers['x-error-code'];
  if (code === 'GatedRepo' || (status === 403 && code === undefined)) {
    const conditions = `Accept the conditions on ${page}`;
    return new NetworkError(
      'no-access',
      `${host} gives ${what} only to those who have accepted its conditions.`,
      hasToken
        ? `${conditions} with the account of your token; some owners take a while to let you in.`
        : `${conditions}, and give Puna a token of your account (${tokenPlaces}).`,
    );
  }
  if (hasToken && status === 401 && /invalid|expired|credentials/i.test(`${code ?? ''} ${words}`)) {
    return new NetworkError(
      'no-access',
      `${host} does not accept the token.`,
      'Make a new one in the settings of your account, with the right to read.',
    );
  }
  if (status === 404 || status === 401 || code === 'RepoNotFound') {
    return new NetworkError(
      'not-found',
      `${host} has not found ${what}.`,
      hasToken
        ? 'Check its name, and that the account of your token may see it.'
        : `Check its name; a private one needs a token (${tokenPlaces}).`,
    );
  }
  const retry = retryAfterMs(headers);
  if (status === 429) {
    return new NetworkError(
      'rate-limited',
      `${host} has been asked too often.`,
      `Try again ${retry === undefined ? 'in some minutes' : `in ${Math.ceil(retry / 1000)} seconds`}; with a token it allows more.`,
      { again: true, retryAfterMs: retry },
    );
  }
  if (status >= 500) {
    return new NetworkError(
      'server-failed',
      `${host} has trouble of its own (status ${status}).`,
      'Try again later.',
      { again: true, retryAfterMs: retry },
    );
  }
  return new NetworkError(
    'wrong-answer',
    `${host} answers with the status ${status} instead of ${what}.`,
    'Check the address of the hub.',
  );
}
