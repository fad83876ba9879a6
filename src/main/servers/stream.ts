import { mostBytes, reasonOf, type ServerAnswer, type ServerPatience } from './ask.ts';
import { beginning, textOfPieces } from './beginning.ts';
import { type AskedServer, endless, stoodStill, type Wish } from './failures.ts';
import { type Said, saidAtOnce } from './said.ts';
import { SaidEvents } from './said-events.ts';

interface StreamOptions {
  patience: ServerPatience;
  wish: Wish;
  onSaid: (said: Said) => void;
}

/** After a reply has said that it ends, what it took in tokens comes at once or never. */
const afterEndMs = 5_000;

/**
 * Reads a reply as it comes. Errors: `NetworkError` (broken off, silent too long, a failure of the server, no reply at all), an abort. What
 * was told before stays.
 */
export async function readStream(
  { body, headers }: ServerAnswer,
  server: AskedServer,
  { patience, wish, onSaid }: StreamOptions,
): Promise<void> {
  const events = new SaidEvents(server, { wish, onSaid });
  let silence: NodeJS.Timeout | undefined;
  const waitFor = (ms: number) => {
    clearTimeout(silence);
    silence = setTimeout(() => body.destroy(stoodStill(server, ms)), ms);
  };
  waitFor(patience.firstPieceMs);
  try {
    const begun = beginning(textOfPieces(body), headers['content-type'] ?? '', server);
    const { isStream, pieces } = await begun;
    if (!isStream) return onSaid(saidAtOnce(await allOf(pieces, server), server, wish));
    let ending = false;
    for await (const piece of pieces) {
      events.add(piece);
      // Some keep the connection open.
      if (events.isDone) return;
      const { isFinished, count } = events;
      // Once after the end, whatever else keeps coming.
      if (!ending) waitFor(isFinished ? afterEndMs : count > 0 ? patience.silenceMs : patience.firstPieceMs);
      ending = isFinished;
    }
    events.end();
  } catch (thrown) {
    // A reply that has ended is whole, however its connection ends.
    if (!events.isFinished || events.hasFailed) throw reasonOf(thrown, server);
  } finally {
    clearTimeout(silence);
    body.destroy();
  }
}

/** Errors: `NetworkError` (too much for a reply). */
async function allOf(pieces: AsyncIterable<string>, server: AskedServer): Promise<string> {
  let all = '';
  for await (const piece of pieces) {
    all += piece;
    if (all.length > mostBytes) throw endless(server);
  }
  return all;
}
