import { PunaError } from '../../shared/error.ts';
import { printable } from '../weights/formats/printable.ts';
import { brokenJson, type BrokenRecord, type FoundRecord } from './found-record.ts';
import { reasons } from './import/reasons.ts';
import { maxJsonBytes, tooLong } from './limits.ts';
import { readPieces, StrictDecoder } from './pieces.ts';

/** The values of a JSONL file, a line at a time, and lines that are none; blank lines count, and are passed over. */
export async function* readJsonLines(
  path: string,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<FoundRecord | BrokenRecord> {
  let held: Buffer[] = [];
  let [bytesHeld, last] = [0, 1];
  const take = (): (FoundRecord | BrokenRecord)[] => {
    const [bytes, length] = [Buffer.concat(held), bytesHeld];
    [held, bytesHeld] = [[], 0];
    return recordOf(bytes, length, path, last);
  };
  for await (const { bytes, line, ends } of readPieces(path, signal, onRead)) {
    last = line;
    bytesHeld += bytes.length;
    // What is too long is passed over without being held.
    if (bytesHeld <= maxJsonBytes) held.push(bytes);
    else held = [];
    if (ends) yield* take();
  }
  yield* take();
}

function recordOf(bytes: Buffer, length: number, path: string, line: number): (FoundRecord | BrokenRecord)[] {
  const where = `line ${line}`;
  if (length > maxJsonBytes) {
    return [{ reason: reasons.longLine, where, error: tooLong(`${path}, ${where}`, maxJsonBytes) }];
  }
  let text: string;
  try {
    text = new StrictDecoder(path).decode(bytes, line, { more: false });
  } catch (thrown) {
    return [{ reason: reasons.notUtf8, where, error: PunaError.from(thrown) }];
  }
  if (text.trim() === '') return [];
  try {
    return [{ value: JSON.parse(text) as unknown, where }];
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    // To the parser each line is line 1.
    const shown = printable(detail.replace(/ \(line \d+ column \d+\)/, ''));
    const error = brokenJson(`Line ${line} of ${path} is not valid JSON: ${shown}.`, thrown);
    return [{ reason: reasons.brokenJson, where, error }];
  }
}
