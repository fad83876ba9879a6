import type { DatasetExample, ExampleContent } from '../../shared/contract/index.ts';

/** Characters of a question and of an answer in the table: more than its cells ever show. */
const rowCharacters = 300;

/** Characters of an example that the page shows whole and edits: forty pages. With more, its fields become slow to type in. */
export const shownCharacters = 200_000;

/** What the table of examples and the search have of one. */
export interface ExampleColumns {
  kind: ExampleContent['kind'];
  turns: number;
  asked: string;
  answer: string;
  /** All its words, as the search compares them. */
  words: string;
  content: string;
}

export function columnsOf(content: ExampleContent): ExampleColumns {
  const { kind } = content;
  const json = JSON.stringify(content);
  if (kind === 'text') {
    const answer = beginning(content.text, rowCharacters);
    return { kind, turns: 0, asked: '', answer, words: searchable(content.text), content: json };
  }
  const [question, answer] = content.turns.slice(-2).map(({ text }) => beginning(text, rowCharacters));
  const texts = [content.system, ...content.turns.map(({ text }) => text)];
  return {
    ...{ kind, turns: content.turns.length, asked: question ?? '', answer: answer ?? '' },
    words: searchable(texts.join('\n')),
    content: json,
  };
}

/**
 * A text as the search compares it: in composed characters and small letters. Words are found inside of others, as `학습` in
 * `기계학습을`.
 */
function searchable(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** The words of a query, all of which an example must have. */
export function queryWords(query: string): string[] {
  return searchable(query)
    .split(/\s+/u)
    .filter((word) => word !== '');
}

/** An example as far as it can be shown. What is cut is still an example: whole turns, the last of which may be shortened. */
export function shown(content: ExampleContent): Pick<DatasetExample, 'content' | 'cut'> {
  if (charactersOf(content) <= shownCharacters) return { content, cut: false };
  if (content.kind === 'text') {
    return { content: { kind: 'text', text: beginning(content.text, shownCharacters) }, cut: true };
  }
  const system = beginning(content.system, shownCharacters / 2);
  let room = shownCharacters - system.length;
  const turns: typeof content.turns = [];
  for (const turn of content.turns) {
    // After an answer only: with a question alone it would be no example.
    if (room <= 0 && turns.length % 2 === 0 && turns.length > 0) break;
    const text = beginning(turn.text, Math.max(room, rowCharacters));
    turns.push({ ...turn, text });
    room -= text.length;
  }
  return { content: { kind: 'conversation', system, turns }, cut: true };
}

function charactersOf(content: ExampleContent): number {
  if (content.kind === 'text') return content.text.length;
  return content.turns.reduce((sum, { text }) => sum + text.length, content.system.length);
}

/** The first UTF-16 units of a text, without half of a character at the end. */
export function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
