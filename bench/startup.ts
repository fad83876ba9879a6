import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { databaseFile, History, openDatabase } from '../src/main/history/index.ts';
import { launchBrowser } from '../tests/browser/browser.ts';
import { startShell } from '../tests/support/shell.ts';
import { teachingBase } from '../tests/support/teaching.ts';
import { median } from './median.ts';

/**
 * How long Puna takes from its start until somebody can write to it, with a history of thousands of conversations, and how large its
 * page is. The browser is open before, as the desktop's window belongs to the program; the page's files are cached in none of the
 * rounds. Needs a build, and Chromium.
 *
 *     npm run bench:startup -- [conversations]
 */
const conversationCount = Number(process.argv[2] ?? 5000);
const messagesOfEach = 20;
const rounds = 7;
/** In seconds. */
const wanted = 1.5;

const folder = await mkdtemp(join(tmpdir(), 'puna-startup-'));
const dataFolder = join(folder, 'data');
const browser = await launchBrowser();
try {
  await prepare();
  const times: Awaited<ReturnType<typeof start>>[] = [];
  // The first one fills the system's cache of files, which is another matter.
  await start();
  for (let round = 0; round < rounds; round++) times.push(await start());
  const middle = (of: (round: (typeof times)[number]) => number) => median(times.map(of));
  const usable = middle((round) => round.usable) / 1000;
  console.table({
    'program answers': { milliseconds: Math.round(middle((round) => round.answers)) },
    'first paint of the page': { milliseconds: Math.round(middle((round) => round.painted)) },
    'conversations are listed': { milliseconds: Math.round(middle((round) => round.listed)) },
    'usable: a message can be written': { milliseconds: Math.round(1000 * usable) },
  });
  console.table(await pageSize());
  console.log(`${conversationCount} conversations, usable after ${usable.toFixed(2)} s; wanted: ${wanted} s`);
  if (usable > wanted) process.exitCode = 1;
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}

/** A model, and conversations that have something to say. */
async function prepare(): Promise<void> {
  const shell = await startShell({ dataFolder, built: true });
  await shell.client.models.add({ path: teachingBase });
  await shell.stop();
  const database = openDatabase(databaseFile(dataFolder));
  const { conversations, messages } = new History(database);
  database.pragma('synchronous = OFF');
  database.transaction(() => {
    for (let count = 0; count < conversationCount; count++) {
      const { id: conversationId } = conversations.create({ title: `Conversation ${count} about grass` });
      let parentId: number | null = null;
      for (let at = 0; at < messagesOfEach; at++) {
        const role = at % 2 === 0 ? 'user' : 'assistant';
        const text = `What grows on the puna in month ${at}, and how high?`;
        ({ id: parentId } = messages.append({ conversationId, parentId, role, text, status: 'complete' }));
      }
    }
  })();
  database.close();
}

/** One start; times in milliseconds since the program was begun. */
async function start() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const begin = performance.now();
  const since = () => performance.now() - begin;
  const shell = await startShell({ dataFolder, built: true });
  const answers = since();
  try {
    await page.goto(shell.link, { waitUntil: 'commit' });
    const list = page.getByRole('link', { name: /^Conversation \d+ about grass/ }).first();
    const seen = list.waitFor().then(since);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('What grows here?');
    await page.getByRole('button', { name: 'Send', exact: true, disabled: false }).waitFor();
    const usable = since();
    const listed = await seen;
    const painted = await page.evaluate(() => {
      const [entry] = performance.getEntriesByName('first-contentful-paint');
      return entry ? performance.timeOrigin + entry.startTime : 0;
    });
    return { answers, usable, listed, painted: painted - performance.timeOrigin - begin };
  } finally {
    await context.close();
    await shell.stop();
  }
}

/** What the page is made of, in kilobytes, as it lies there and as a line would carry it. */
async function pageSize(): Promise<Record<string, { files: number; kilobytes: number; gzip: number }>> {
  const root = 'out/renderer';
  const sizes: Record<string, { files: number; kilobytes: number; gzip: number }> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    const size = (sizes[extname(entry.name)] ??= { files: 0, kilobytes: 0, gzip: 0 });
    size.files++;
    size.kilobytes += Math.round(content.length / 1000);
    size.gzip += Math.round(gzipSync(content).length / 1000);
  }
  return sizes;
}
