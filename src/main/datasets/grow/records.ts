/** How a part of a record is announced, in whatever language, in lower case. */
export interface Label<Key extends string> {
  key: Key;
  words: readonly string[];
  /** It is a label without a colon too, as long as what follows it looks like a beginning. Not for words that tasks begin with. */
  loose?: boolean;
}

export type Found<Key extends string> = Partial<Record<Key, string>>;

/** Lines that only part records from each other: numbers, rules, and headings such as `Task 2`. */
const parting =
  /^(?:\(?\d+[.):]?|[-*_=]{3,}|#+.*|[*_]*(?:task|pair|과제|작업|문제|쌍)\s*#?\d+\s*[.:]?[*_]*)$/i;
const fence = /^\s*(?:```|~~~)[\w-]*\s*$/;

/**
 * Records of labelled parts in a reply, as small models write them: with colons or without, numbered, in bold, in a code fence,
 * as JSON, with the end cut off. The first label begins a record. A reply without any label has none.
 */
export function recordsIn<Key extends string>(
  reply: string,
  labels: readonly [Label<Key>, ...Label<Key>[]],
): Found<Key>[] {
  const objects = objectsIn(reply, labels);
  return objects.length > 0 ? objects : labelledIn(reply, labels);
}

function labelledIn<Key extends string>(
  reply: string,
  labels: readonly [Label<Key>, ...Label<Key>[]],
): Found<Key>[] {
  const patterns = labels.map((label) => ({ key: label.key, pattern: patternOf(label) }));
  const [first] = labels;
  const records: Found<Key>[] = [];
  let part: Key | null = null;
  for (const line of unfenced(reply)) {
    const { key, rest } = announced(line, patterns) ?? { key: null, rest: line };
    if (key === first.key) records.push({});
    const record = records.at(-1);
    // What stands before the first label introduces, and is no part of anything.
    if (!record) continue;
    if (key !== null) {
      // A part that is there twice is a record of its own that has lost its beginning.
      part = record[key] === undefined ? key : null;
    }
    if (part !== null) record[part] = key === null ? `${record[part] ?? ''}\n${rest}` : rest;
  }
  return records.map(tidied);
}

function announced<Key extends string>(
  line: string,
  patterns: readonly { key: Key; pattern: RegExp }[],
): { key: Key; rest: string } | null {
  for (const { key, pattern } of patterns) {
    const rest = pattern.exec(line)?.[1];
    if (rest !== undefined) return { key, rest };
  }
  return null;
}

function patternOf({ words, loose }: Label<string>): RegExp {
  const numbered = String.raw`^[\s>#*_•-]{0,16}(?:\(?\d+\s*[.):]\s*)?[*_]{0,4}`;
  const colon = String.raw`\s*[:：]\s*[*_]*`;
  // `Q1.` and `Q1)` are as clear as `Q1:`; a label alone in its line is clear, too.
  const clear = String.raw`(?:\s*#?\d+)?[*_]*(?:${colon}|\s*[*_]*$)|\s*#?\d+[*_]*[.)]\s*`;
  const beginning = String.raw`(?:\s*#?\d+)?[*_]*\s+(?=[\p{Lu}\p{Script=Hangul}\p{N}"'“‘])`;
  const ends = loose ? `${clear}|${beginning}` : clear;
  return new RegExp(`${numbered}(?:${caseless(words)})(?:${ends})(.*)$`, 'u');
}

/** Words in lower or upper case; the pattern around them tells capitals from others. */
function caseless(words: readonly string[]): string {
  const letters = (word: string) =>
    word.replaceAll(/\p{L}/gu, (letter) =>
      letter.toLowerCase() === letter.toUpperCase() ? letter : `[${letter}${letter.toUpperCase()}]`,
    );
  return words.map(letters).join('|');
}

/** The lines of a reply without those of code fences, unless they are of a part: then they are the task's own. */
function unfenced(reply: string): string[] {
  const lines = reply.replaceAll('\r', '').split('\n');
  const [first, last] = [
    lines.findIndex((line) => line.trim() !== ''),
    lines.findLastIndex((line) => line.trim() !== ''),
  ];
  const opens = fence.test(lines[first] ?? '');
  const closes = opens && last > first && fence.test(lines[last] ?? '');
  return lines.slice(opens ? first + 1 : 0, closes ? last : undefined);
}

function tidied<Key extends string>(record: Found<Key>): Found<Key> {
  const tidy = { ...record };
  for (const key in tidy) {
    const lines = (tidy[key] ?? '').split('\n');
    while (lines.length > 1 && isParting(lines.at(-1) ?? '')) lines.pop();
    tidy[key] = unwrapped(lines.join('\n'));
  }
  return tidy;
}

function isParting(line: string): boolean {
  return line.trim() === '' || parting.test(line.trim());
}

/** Without the quotes or the bold that stand around the whole of it. */
export function unwrapped(text: string): string {
  const trimmed = text.trim();
  const wrapped = /^(?:\*\*([^*]+)\*\*|"([^"]+)"|“([^”]+)”|\[([^[\]]+)\])$/.exec(trimmed);
  return (wrapped?.slice(1).find((inner) => inner !== undefined) ?? trimmed).trim();
}

const jsonObject = /\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}/g;

/** What is whole of JSON lines or a JSON array, the end of which may be cut off. */
function objectsIn<Key extends string>(reply: string, labels: readonly Label<Key>[]): Found<Key>[] {
  return [...reply.matchAll(jsonObject)].flatMap(([text]) => {
    const record: Found<Key> = {};
    for (const [name, value] of Object.entries(parsed(text))) {
      const label = labels.find(({ words }) => words.includes(name.trim().toLowerCase()));
      if (label && typeof value === 'string') record[label.key] = value.trim();
    }
    return Object.keys(record).length > 0 ? [record] : [];
  });
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
