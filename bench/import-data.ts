import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { seededRandom } from '../tests/support/tiny-random.ts';

interface Asked {
  question: string;
  answer: string;
}

/** Files as people have them, and the same examples as one JSONL for the comparison. */
export interface ImportData {
  /** In the order in which they were written. */
  files: { chatgpt: string; openai: string; whatsapp: string; csv: string };
  plain: string;
  /** Of `files`, and of `plain`. */
  bytes: number;
  plainBytes: number;
}

/** Whose messages are learnt, in the chat. */
export const chatPerson = 'Mina';

/** Vocabulary of the texts; words are drawn by Zipf's law, as in any language. */
const vocabularySize = 20_000;
const questionWords = { shortest: 6, longest: 30 };
const answerWords = { shortest: 20, longest: 110 };
/** Shares of examples with something for the cleaners: what was there before, the same with a few other words, personal data. */
const dirt = { duplicates: 0.03, nearDuplicates: 0.03, personal: 0.03 };
/** Of these, other examples repeat some. */
const recentExamples = 1000;

/** Writes so many examples into a folder, a quarter of each kind; the same for the same number. */
export async function writeImportData(folder: string, examples: number): Promise<ImportData> {
  const files = {
    chatgpt: join(folder, 'conversations.json'),
    openai: join(folder, 'chats.jsonl'),
    whatsapp: join(folder, `WhatsApp Chat with Joon.txt`),
    csv: join(folder, 'table.csv'),
  };
  const plain = join(folder, 'plain', 'all.jsonl');
  const share = Math.round(examples / 4);
  const all = new Set<Asked>();
  const part = function* () {
    for (let index = 0; index < share; index++) {
      const made = generated();
      all.add(made);
      yield made;
    }
  };
  const generated = generator();
  await write(files.chatgpt, list(part(), chatgptConversation));
  await write(files.openai, each(part(), openaiLine));
  await write(files.whatsapp, each(part(), whatsappLines));
  await write(files.csv, headed('prompt,reply\n', each(part(), csvRow)));
  await write(plain, each(all, openaiLine));
  const sizes = await Promise.all(Object.values(files).map(async (path) => (await stat(path)).size));
  return {
    ...{ files, plain, plainBytes: (await stat(plain)).size },
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Writes JSONL of about so many bytes. */
export async function writeLargeLines(path: string, bytes: number): Promise<void> {
  const generated = generator();
  const lines = function* () {
    for (let written = 0; written < bytes;) {
      const line = openaiLine(generated());
      written += line.length;
      yield line;
    }
  };
  await write(path, lines());
}

function generator(): () => Asked {
  const random = seededRandom(1);
  const letters = [...'etaoinshrdlcumwfgypbvk'];
  const words = Array.from({ length: vocabularySize }, () =>
    Array.from({ length: 2 + random.below(7) }, () => letters[random.below(letters.length)]).join(''),
  );
  /** Rank r is drawn with a probability of about 1/r. */
  const anyWord = () => words[Math.floor(Math.exp(random.unit() * Math.log(vocabularySize)))] ?? 'word';
  const anyText = ({ shortest, longest }: { shortest: number; longest: number }) =>
    Array.from({ length: shortest + random.below(longest - shortest) }, anyWord).join(' ');
  const recent: Asked[] = [];
  return () => {
    const chance = random.unit();
    const before = recent[random.below(recentExamples)];
    if (before && chance < dirt.duplicates) return { ...before };
    if (before && chance < dirt.duplicates + dirt.nearDuplicates) {
      return { question: before.question, answer: `${before.answer} ${anyWord()}` };
    }
    const made = { question: `${anyText(questionWords)}?`, answer: `${anyText(answerWords)}.` };
    if (chance > 1 - dirt.personal) {
      made.answer += ` ${anyWord()}@example.com or +82 10-${1000 + random.below(9000)}-${1000 + random.below(9000)}`;
    }
    recent[random.below(recentExamples)] = made;
    return made;
  };
}

function* each<Element>(elements: Iterable<Element>, text: (element: Element, index: number) => string) {
  let index = 0;
  for (const element of elements) yield text(element, index++);
}

function* list<Element>(elements: Iterable<Element>, text: (element: Element, index: number) => string) {
  yield '[';
  let index = 0;
  for (const element of elements) yield `${index > 0 ? ', ' : ''}${text(element, index++)}`;
  yield ']';
}

function* headed(head: string, pieces: Iterable<string>) {
  yield head;
  yield* pieces;
}

function openaiLine({ question, answer }: Asked): string {
  const messages = [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ];
  return `${JSON.stringify({ messages })}\n`;
}

/** With what ChatGPT's export says besides. */
function chatgptConversation({ question, answer }: Asked, index: number): string {
  const id = (node: number) =>
    `${String(index).padStart(8, '0')}-aaaa-4bbb-8ccc-${String(node).padStart(12, '0')}`;
  const time = 1_700_000_000 + index * 600;
  const message = (node: number, role: string, text: string) => ({
    ...{
      id: id(node),
      author: { role, name: null, metadata: {} },
      create_time: time + node,
      update_time: null,
    },
    content: { content_type: 'text', parts: [text] },
    ...{ status: 'finished_successfully', end_turn: role === 'assistant', weight: 1 },
    metadata: { timestamp_: 'absolute', message_type: null, model_slug: 'gpt-4o' },
    ...{ recipient: 'all', channel: null },
  });
  return JSON.stringify({
    ...{ title: question.slice(0, 24), create_time: time, update_time: time + 60 },
    mapping: {
      [id(0)]: { id: id(0), message: null, parent: null, children: [id(1)] },
      [id(1)]: { id: id(1), message: message(1, 'user', question), parent: id(0), children: [id(2)] },
      [id(2)]: { id: id(2), message: message(2, 'assistant', answer), parent: id(1), children: [] },
    },
    ...{ moderation_results: [], current_node: id(2), conversation_id: id(9), is_archived: false },
  });
}

/** A conversation of its own each, since the silence between them is long. */
const silenceMs = 7 * 3600_000;

function whatsappLines({ question, answer }: Asked, index: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const stamp = (minute: number) => {
    const at = new Date(Date.UTC(2005, 0, 1) + index * silenceMs + minute * 60_000);
    const day = `${two(at.getUTCDate())}/${two(at.getUTCMonth() + 1)}/${at.getUTCFullYear()}`;
    return `${day}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  };
  return `${stamp(0)} - Joon: ${question}\n${stamp(1)} - ${chatPerson}: ${answer}\n`;
}

function csvRow({ question, answer }: Asked): string {
  return `"${question}","${answer}"\n`;
}

async function write(path: string, pieces: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(blocks(pieces)), createWriteStream(path));
}

/** Streams are slow with small pieces. */
function* blocks(pieces: Iterable<string>): Generator<string> {
  let block = '';
  for (const piece of pieces) {
    block += piece;
    if (block.length < 2 ** 20) continue;
    yield block;
    block = '';
  }
  yield block;
}
