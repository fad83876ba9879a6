import { type AskedServer, endless } from './failures.ts';

/**
 * So many characters may come before it is known what comes. Some services send an empty line now and then while nothing is written yet:
 * with one every ten milliseconds, this is as long as Puna waits for the first piece.
 */
const mostBeforehand = 60_000;

/**
 * How far a stream of server-sent events is known by how it begins: with a comment, or with one of the fields that there are (HTML standard,
 * 9.2.6; `error` is llama-server's). Null: more has to come first.
 */
function isEvents(begun: string): boolean | null {
  const text = begun.trimStart();
  if (text === '') return null;
  const fields = [':', 'data:', 'event:', 'id:', 'retry:', 'error:'];
  if (fields.some((field) => text.startsWith(field))) return true;
  return fields.some((field) => field.startsWith(text)) ? null : false;
}

/**
 * Whether a reply comes event by event or at once. Its type says so only where it is that of events: some servers send events as plain text
 * or as JSON, some say nothing of what they send, and some send a failure as JSON in place of events. `pieces`: all of it, from its beginning.
 * Errors: `NetworkError` (nothing but blanks, without end), those of `pieces`.
 */
export async function beginning(
  pieces: AsyncGenerator<string, void>,
  contentType: string,
  server: AskedServer,
): Promise<{ isStream: boolean; pieces: AsyncGenerator<string, void> }> {
  const saysEvents = /^text\/event-stream/i.test(contentType);
  let begun = '';
  for (;;) {
    const { value, done } = await pieces.next();
    begun += value ?? '';
    const known = isEvents(begun);
    if (known === null && !done) {
      if (begun.length > mostBeforehand) throw endless(server);
      continue;
    }
    const isStream = known === true || (saysEvents && !/^\s*[{[<]/.test(begun));
    return { isStream, pieces: from(begun, pieces) };
  }
}

async function* from(begun: string, pieces: AsyncGenerator<string, void>): AsyncGenerator<string, void> {
  yield begun;
  yield* pieces;
}

/** Every character whole, wherever the network has cut it. */
export async function* textOfPieces(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  for await (const bytes of pieces) yield decoder.decode(bytes, { stream: true });
  yield decoder.decode();
}
