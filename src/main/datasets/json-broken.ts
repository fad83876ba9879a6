import type { PunaError } from '../../shared/error.ts';
import { type BrokenRecord, type FoundRecord, isJsonObject } from './found-record.ts';
import { isKnown } from './import/index.ts';
import { reasons } from './import/reasons.ts';
import { type JsonFound, type JsonPath, JsonScanner } from './json-scanner.ts';
import { readPieces, StrictDecoder } from './pieces.ts';

interface Broken {
  /** The list of the outermost object that holds the examples, where that is known. */
  list: string | null;
  /** Records at the beginning that were read before. */
  given: number;
  /** What was wrong, as a sentence. */
  error: PunaError;
  signal: AbortSignal | undefined;
  onRead: (bytes: number) => void;
}

/** The records of a file of JSON that is broken, from the one on that was not read, and where it is broken. */
export async function* readBroken(
  path: string,
  { list, given, error, signal, onRead }: Broken,
): AsyncGenerator<FoundRecord | BrokenRecord> {
  let [count, broken, last] = [0, 0, 1];
  const recordOf = (found: JsonFound): (FoundRecord | BrokenRecord)[] => {
    if (found.kind === 'broken') {
      broken++;
      return [{ reason: reasons.brokenJson, where: `line ${found.line}`, error }];
    }
    const { value, line } = found;
    // Beside a list of examples, others have what is none.
    const isWanted = found.path.length < 2 || list !== null || (isJsonObject(value) && isKnown(value));
    if (!isWanted || ++count <= given) return [];
    return [{ value, where: `object ${count}, which begins on line ${line}` }];
  };
  const decoder = new StrictDecoder(path);
  let scanner: JsonScanner | null = null;
  for await (const { bytes, line, ends } of readPieces(path, signal, onRead)) {
    const text = decoder.decode(bytes, line, { more: !ends });
    last = line;
    if (!scanner && text.trim() === '') continue;
    scanner ??= new JsonScanner(path, wantsOf(text.trim().startsWith('['), { list, given }));
    for (const found of scanner.write(text)) yield* recordOf(found);
  }
  for (const found of scanner?.end() ?? []) yield* recordOf(found);
  if (broken === 0) yield { reason: reasons.brokenJson, where: `line ${last}`, error };
}

/** Which values are records: elements of the outermost list, or of the one in an object; objects that stand one after the other. */
function wantsOf(
  isList: boolean,
  { list, given }: Pick<Broken, 'list' | 'given'>,
): (path: JsonPath) => boolean {
  if (isList) return (path) => path.length === 1;
  if (list !== null) return (path) => path.length === 2 && path[0] === list && path[1] === '*';
  if (given > 0) return (path) => path.length === 0;
  return (path) => path.length === 2 && path[1] === '*';
}
