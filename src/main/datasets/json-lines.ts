import { printable } from '../weights/formats/gguf.ts';
import { brokenJson, type FoundRecord } from './found-record.ts';
import { maxRecordBytes } from './limits.ts';
import { readLines } from './lines.ts';

/** The values of a JSONL file, a line at a time; blank lines count, and are passed over. */
export async function* readJsonLines(
  path: string,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<FoundRecord> {
  for await (const { text, line } of readLines(path, maxRecordBytes, signal, onRead)) {
    if (text.trim() !== '') yield { value: parseLine(text, path, line), where: `line ${line}` };
  }
}

function parseLine(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    // To the parser each line is line 1.
    const shown = printable(detail.replace(/ \(line \d+ column \d+\)/, ''));
    throw brokenJson(`Line ${line} of ${path} is not valid JSON: ${shown}.`, thrown);
  }
}
