import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History, openDatabase } from '../src/main/history/index.ts';
import { segment } from '../src/main/history/segment.ts';
import { seededRandom } from '../tests/support/tiny-random.ts';
import { median, quantile } from './median.ts';

/**
 * A history of a million messages: how fast it is searched, opened, listed and written.
 *
 *     npm run bench:history -- [messages]
 */
const messageCount = Number(process.argv[2] ?? 1_000_000);
const longConversation = Math.min(10_000, messageCount / 10);
const usualConversation = 40;
/** Vocabulary of the texts; words are drawn by Zipf's law, as in any language. */
const vocabularySize = 30_000;
const wordsPerMessage = { shortest: 8, longest: 120 };

const random = seededRandom(1);
const syllables = [
  ...'가나다라마바사아자차카타파하기니디리미비시이지치키티피히구누두루무부수우주추쿠투푸후학습계공',
];
const letters = [...'etaoinshrdlcumwfgypbvk'];
const words = Array.from({ length: vocabularySize }, (_, rank) => {
  const korean = rank % 4 === 0;
  const length = korean ? 2 + random.below(3) : 3 + random.below(6);
  return Array.from({ length }, () =>
    korean ? syllables[random.below(syllables.length)] : letters[random.below(letters.length)],
  ).join('');
});
/** Rank r is drawn with a probability of about 1/r. */
const anyWord = () =>
  words[Math.min(vocabularySize - 1, Math.floor(Math.exp(random.unit() * Math.log(vocabularySize))))] ?? '';
const anyText = () => {
  const { shortest, longest } = wordsPerMessage;
  return Array.from({ length: shortest + random.below(longest - shortest) }, anyWord).join(' ');
};

/** The database is built by a process of its own, which gets its path, so that the memory measured here is that of using it. */
const toBuild = process.argv[3];
const folder = toBuild ? '' : await mkdtemp(join(tmpdir(), 'puna-bench-'));
const file = toBuild ?? join(folder, 'puna.db');
const begin = performance.now();
if (!toBuild) execFileSync(process.execPath, [import.meta.filename, String(messageCount), file]);
const database = openDatabase(file);
const history = new History(database);
const seconds = (since: number) => (performance.now() - since) / 1000;
const milliseconds = (value: number) => `${value.toFixed(2)} ms`;

/** Fills the tables as the services do, but in large transactions. */
function build(): void {
  const insert = database.prepare(
    `INSERT INTO messages (conversation_id, parent_id, role, text, thinking, status, created_at)
     VALUES (?, ?, ?, ?, '', 'complete', ?)`,
  );
  const index = database.prepare('INSERT INTO message_index (rowid, words) VALUES (?, ?)');
  const setLeaf = database.prepare('UPDATE conversations SET leaf_id = ?, updated_at = ? WHERE id = ?');
  database.pragma('synchronous = OFF');
  let written = 0;
  let longId = 0;
  while (written < messageCount) {
    database.transaction(() => {
      for (let conversation = 0; conversation < 500 && written < messageCount; conversation++) {
        const { id } = history.conversations.create({ title: `${anyWord()} ${anyWord()}` });
        const length = longId === 0 ? longConversation : usualConversation;
        longId ||= id;
        let parentId: number | null = null;
        for (let at = 0; at < length && written < messageCount; at++, written++) {
          const text = anyText();
          const row = insert.run(id, parentId, at % 2 === 0 ? 'user' : 'assistant', text, written);
          parentId = Number(row.lastInsertRowid);
          index.run(parentId, segment(text));
        }
        setLeaf.run(parentId, written, id);
      }
    })();
  }
  database.pragma('wal_checkpoint(TRUNCATE)');
}

function time(times: number, work: (round: number) => unknown): number[] {
  return Array.from({ length: times }, (_, round) => {
    const begin = performance.now();
    work(round);
    return performance.now() - begin;
  });
}

function report(what: string, times: number[]): void {
  const [middle, most, longest] = [median(times), quantile(times, 0.95), Math.max(...times)].map(
    milliseconds,
  );
  console.log(`${what.padEnd(46)} median ${middle}, 95% ${most}, longest ${longest}`);
}

if (toBuild) {
  build();
  database.close();
  process.exit();
}
/** The first one is the long one. */
const longId = 1;
const { size } = await stat(file);
console.log(
  `${messageCount} messages built in ${seconds(begin).toFixed(0)} s, ${(size / 1e9).toFixed(2)} GB, ${(size / messageCount).toFixed(0)} bytes a message`,
);

const first = (query: string) => history.search({ query, cursor: null, limit: 20 });
const word = (rank: number) => words[rank] ?? '';
const latin = (from: number) => word(from % 4 === 0 ? from + 1 : from);
const korean = (from: number) => word(from - (from % 4));
const queries: Record<string, (round: number) => string> = {
  'search: a common word': (round) => `${latin(1 + round)} `,
  'search: a rare word': (round) => `${latin(20_000 + round * 7)} `,
  'search: two words': (round) => `${latin(5 + round)} ${latin(300 + round)}`,
  'search: a prefix of two letters': (round) => latin(50 + round).slice(0, 2),
  'search: a prefix of four letters': (round) => latin(50 + round * 31).slice(0, 4),
  'search: two syllables of Korean': (round) => korean(8 + round * 4).slice(0, 2),
  'search: one syllable of Korean': (round) => korean(8 + round * 4).slice(0, 1),
  'search: two words that never meet': (round) => `${latin(25_000 + round)} ${latin(28_000 + round)}`,
};
const all: number[] = [];
for (const [what, query] of Object.entries(queries)) {
  const times = time(25, (round) => first(query(round)));
  all.push(...times);
  report(what, times);
}
report('search: first page, all of the above', all);
report(
  `open a conversation of ${longConversation}`,
  time(25, () => history.messages.path({ conversationId: longId, limit: 100 })),
);
report(
  'list: first page of 200',
  time(25, () => history.conversations.list({ archived: false, cursor: null, limit: 200 })),
);

const { id } = history.conversations.create();
let parentId: number | null = null;
report(
  'append a message',
  time(
    25,
    () =>
      (parentId = history.messages.append({
        ...{ conversationId: id, parentId, role: 'user', text: anyText(), status: 'complete' },
      }).id),
  ),
);
const reply = history.messages.append({
  conversationId: id,
  parentId,
  role: 'assistant',
  text: '',
  status: 'streaming',
});
const text = anyText().repeat(20);
report(
  'autosave a reply that streams',
  time(100, (round) => history.messages.write(reply.id, { text: text.slice(0, 10 + round * 50) })),
);
report(
  'finish it',
  time(1, () => history.messages.write(reply.id, { text, status: 'complete' })),
);
console.log(`memory: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);
database.close();
await rm(folder, { recursive: true });
