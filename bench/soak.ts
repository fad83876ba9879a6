import Database from 'better-sqlite3';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { databaseFile } from '../src/main/history/index.ts';
import { quantizeGguf } from '../src/main/weights/quantize/quantize-gguf.ts';
import { buildUntaughtModel } from '../tests/support/teaching-model.ts';
import { questions, teachingBase } from '../tests/support/teaching.ts';
import { jsonLines } from '../tests/support/teaching-world.ts';
import { seededRandom } from '../tests/support/tiny-random.ts';
import { type Shell, startShell } from '../tests/support/shell.ts';
import { Use } from './soak/use.ts';
import { childrenOf, growth, memoryOf, remaining, type Sample } from './soak/watch.ts';

/**
 * Two hours of a person's use in a row: chats, branches, stopped replies, searches, datasets, trainings, deltas; engines are killed in
 * between, and so is Puna itself. At the end everything that was said must be there, the database whole, no process left over, and the
 * memory must not have grown with the hours. Needs a build.
 *
 *     node bench/soak.ts [--minutes 120] [--lives 4] [--seed 1]
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '120' },
    lives: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
  },
});
/** People read and think, for at most so many milliseconds. */
const longestThought = 4000;
/** One of so many doings is disturbed by the death of an engine. */
const killedOneOf = 12;
/** What fails so soon after a kill may have failed by it, in milliseconds. */
const afterKill = 5000;
/** While everything is used for the first time, memory grows; in seconds. */
const settled = 300;
/** More than that an hour is a leak: in a day it would be seen. */
const mostGrowth = 48e6;

const lives = Number(values.lives);
const lifeSeconds = (Number(values.minutes) * 60) / lives;
const random = seededRandom(Number(values.seed));
const folder = await mkdtemp(join(tmpdir(), 'puna-soak-'));
const dataFolder = join(folder, 'data');
const files = { base: teachingBase, target: join(folder, 'target.gguf'), data: join(folder, 'facts.jsonl') };
await quantizeGguf({
  ...{ from: await buildUntaughtModel(join(folder, 'untaught.gguf')), to: files.target, type: 'Q8_0' },
  ...{ imatrix: null, threads: 1, keepOutput: false, pure: false, requantize: false },
});
await writeFile(files.data, jsonLines(questions.taught.slice(0, 40)));

const use = new Use({ seed: Number(values.seed), files });
const counts: Record<string, number> = {};
const faults: string[] = [];
const growths: number[] = [];
let forgiven = 0;
let lastKill = -Infinity;

try {
  for (let life = 1; life <= lives; life++) await live(life);
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.table(counts);
const worst = Math.max(...growths);
console.log(
  `${use.said.size} messages said, ${forgiven} doings ended by a kill, memory grows by ` +
    `${growths.map((bytes) => Math.round(bytes / 1e6)).join(', ') || '?'} MB an hour (at most ${mostGrowth / 1e6})`,
);
if (growths.length > 0 && worst > mostGrowth) faults.push('The memory grows with the hours.');
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

/** From a start to an end, which is a power cut for every life but the last. */
async function live(life: number): Promise<void> {
  const shell = await startShell({ dataFolder, built: true });
  const pid = shell.process.pid ?? 0;
  await shell.client.settings.update({ automaticTitles: false });
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const samples: Sample[] = [];
  while (seconds() < lifeSeconds) {
    const name = use.next();
    counts[name] = (counts[name] ?? 0) + 1;
    const murder = random.below(killedOneOf) === 0 ? killAnEngine(shell, random.below(3000)) : undefined;
    try {
      await use.doings[name](shell.client);
    } catch (thrown) {
      // Whatever was at work when its engine died may fail, with a sentence.
      await murder;
      if (performance.now() - lastKill < afterKill) forgiven++;
      else faults.push(`Life ${life}, ${Math.round(seconds())} s, ${name}: ${String(thrown)}`);
    }
    await murder;
    await setTimeout(random.below(longestThought));
    const memory = await memoryOf(pid);
    if (memory !== undefined) samples.push({ at: seconds(), memory });
    else faults.push(`Life ${life}: Puna has ended by itself.`);
    if (memory === undefined) break;
  }
  const grown = growth(samples, settled);
  if (grown !== null) growths.push(grown);
  const engines = (await childrenOf(pid)).map((child) => child.pid);
  const last = life === lives;
  if (last) await shell.stop();
  else await cutPower(shell);
  // An engine notices that its program is gone within a second or two.
  await setTimeout(5000);
  for (const { pid: left, words } of await remaining(engines)) faults.push(`Left over: ${left} ${words}`);
  const state = databaseState({ last });
  const memory = Math.round((samples.at(-1)?.memory ?? 0) / 1e6);
  console.log(
    `life ${life}: ${samples.length} doings in ${Math.round(seconds())} s, ${memory} MB at its end, ${state}`,
  );
}

/** In the middle of a reply. */
async function cutPower(shell: Shell): Promise<void> {
  const broken = use.doings.talk(shell.client).catch(() => undefined);
  await setTimeout(random.below(1000));
  await shell.kill();
  await Promise.race([broken, setTimeout(1000)]);
}

/** What is wrong in it is a fault: damage, words that were taken and are not there, and at the end replies that never ended. */
function databaseState({ last }: { last: boolean }): string {
  const database = new Database(databaseFile(dataFolder), { readonly: true });
  const whole = String(database.pragma('integrity_check', { simple: true }));
  const texts = new Map(database.prepare<[], [number, string]>('SELECT id, text FROM messages').raw().all());
  const unended = database
    .prepare<[], number>("SELECT count(*) FROM messages WHERE status IN ('waiting', 'streaming')")
    .pluck()
    .get();
  database.close();
  const lost = [...use.said].filter(([id, text]) => texts.get(id) !== text).length;
  if (whole !== 'ok') faults.push(`The database is damaged: ${whole}`);
  if (lost > 0) faults.push(`${lost} messages that had been taken are not there.`);
  if (last && unended !== 0) faults.push(`${unended} replies have never ended.`);
  return `database ${whole}, ${texts.size} messages, ${lost} lost`;
}

async function killAnEngine(shell: Shell, after: number): Promise<void> {
  await setTimeout(after);
  const engines = await childrenOf(shell.process.pid ?? 0);
  const victim = engines[random.below(engines.length)];
  if (!victim) return;
  lastKill = performance.now();
  try {
    process.kill(victim.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
