import { JSONParser, TokenType } from '@streamparser/json';
import { PunaError } from '../../shared/error.ts';
import { brokenJson, type BrokenRecord, type FoundRecord } from './found-record.ts';
import { draftsOf } from './import/index.ts';
import { readBroken } from './json-broken.ts';
import { maxDepth, maxJsonBytes, maxRecordBytes, tooLong } from './limits.ts';
import { readPieces, StrictDecoder } from './pieces.ts';
import { Sifter } from './sifter.ts';

/** The JSON of a file is broken. */
class Broken extends Error {
  readonly error: PunaError;

  constructor(error: PunaError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * The examples of a file that is JSON as a whole, one at a time, whatever the file's size: the elements of a list, those
 * of the one list in an object, or single objects, one after the other. Where it is broken, reading goes on with what is sound.
 */
export async function* readDocument(
  path: string,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<FoundRecord | BrokenRecord> {
  const sifter = new Sifter(path);
  let [given, furthest] = [0, 0];
  const onReadOnce = (bytes: number) => {
    furthest = Math.max(furthest, bytes);
    onRead?.(furthest);
  };
  try {
    for await (const record of readSound(path, sifter, signal, onReadOnce)) {
      given++;
      yield record;
    }
  } catch (thrown) {
    if (!(thrown instanceof Broken)) throw thrown;
    const { list } = sifter;
    yield* readBroken(path, { list, given, error: thrown.error, signal, onRead: onReadOnce });
  }
}

/** Errors: `Broken`; `invalid-input` (nested too deep, a record that is too long or of no known kind). */
async function* readSound(
  path: string,
  sifter: Sifter,
  signal: AbortSignal | undefined,
  onRead: (bytes: number) => void,
): AsyncGenerator<FoundRecord> {
  const parser = new JSONParser({ paths: ['$', '$.*', '$.*.*'], separator: '' });
  const decoder = new StrictDecoder(path);
  parser.onValue = (info) => sifter.sift(info);
  limitDepth(parser, path);
  let [count, lastLine, bytesSince] = [0, 1, 0];
  for await (const { bytes, line, ends } of readPieces(path, signal, onRead)) {
    decoder.decode(bytes, line, { more: !ends });
    write(parser, bytes, path, line);
    const arrived = sifter.arrived.splice(0);
    bytesSince = arrived.length > 0 ? 0 : bytesSince + bytes.length;
    for (const value of arrived) yield { value, where: `object ${++count}, which ends on line ${line}` };
    // More of it would only be held in memory: its error is that of the file.
    const unknown = bytesSince > maxRecordBytes ? sifter.unknown() : null;
    if (unknown) draftsOf(unknown, `${path}, line ${line}`);
    if (bytesSince > maxJsonBytes) throw tooLong(`${path}, line ${line}`, maxJsonBytes);
    lastLine = line;
  }
  decoder.decode(Buffer.alloc(0), lastLine, { more: false });
  try {
    parser.end();
  } catch (thrown) {
    throw new Broken(brokenJson(`${path} ends in the middle of its JSON, on line ${lastLine}.`, thrown));
  }
}

function write(parser: JSONParser, bytes: Buffer, path: string, line: number): void {
  try {
    parser.write(bytes);
  } catch (thrown) {
    if (thrown instanceof PunaError) throw thrown;
    throw new Broken(brokenJson(`${path} is not valid JSON from line ${line} on.`, thrown));
  }
}

function limitDepth(parser: JSONParser, path: string): void {
  let depth = 0;
  parser.onToken = ({ token }) => {
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth++;
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) depth--;
    if (depth <= maxDepth) return;
    const sentence = `${path} nests more than ${maxDepth} lists and objects.`;
    throw new PunaError('invalid-input', sentence, 'Export the data again, in one of the known kinds.');
  };
}
