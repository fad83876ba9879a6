import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { peopleIn, readExamples, type ReadReport } from '../../src/main/datasets/index.ts';
import { PunaError } from '../../src/shared/error.ts';
import { zipped } from '../support/zip.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-exports-'));
});
afterAll(() => rm(folder, { recursive: true }));

const fixture = (name: string) => readFile(join(import.meta.dirname, '../fixtures/datasets', name));

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(12),
  added: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc.constantFrom('{', ']', '"', ',', '\n', ' : ', '[', '\u200e', '12/31/23, 9:41 PM - ').map(Buffer.from),
  ),
});

it.each([
  'chatgpt/conversations.json',
  'claude/conversations.json',
  'oasst/trees.jsonl',
  'oasst/messages.jsonl',
  'kakaotalk/pc-ko.txt',
  'kakaotalk/ios-ko.txt',
  'kakaotalk/mac.csv',
  'whatsapp/android-us.txt',
  'whatsapp/iphone-de.txt',
  'telegram/chat.json',
  'telegram/account.json',
  'discord/direct.json',
  'slack/dev/2024-01-02.json',
  'a ZIP archive',
])('%s, damaged in any way, gives examples that are sound, or an error that can be read', async (name) => {
  const sound = name.startsWith('a ZIP')
    ? zipped([{ name: 'conversations.json', bytes: await fixture('chatgpt/conversations.json') }])
    : await fixture(name);
  const people = (await peopleIn(await written(sound))) ?? [];
  const me = people.at(-1)?.name ?? null;
  let examples = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const path = await written(changes.reduce(damaged, sound));
      if (await expectExamplesOrError(path, me)) examples++;
    }),
    { seed: 6, numRuns: 60 },
  );
  // Otherwise what is made would not reach what it is to test.
  if (!name.startsWith('a ZIP')) expect(examples).toBeGreaterThan(20);
});

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'export');
  await writeFile(path, bytes);
  return path;
}

function damaged(
  bytes: Buffer,
  { at, removed, added }: { at: number; removed: number; added: Uint8Array },
): Buffer {
  const place = Math.floor(at * bytes.length);
  return Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + removed)]);
}

async function expectExamplesOrError(path: string, me: string | null): Promise<boolean> {
  const report: ReadReport = { examples: 0, skipped: [] };
  try {
    for await (const example of readExamples(path, { me, report })) {
      if (example.kind === 'text') continue;
      expect(example.turns.length % 2).toBe(0);
      for (const { text } of example.turns) expect(text.trim()).not.toBe('');
    }
    expect(report.examples).toBeGreaterThan(0);
    return true;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PunaError);
    const { code, message, remedy } = thrown as PunaError;
    expect(code).toBe('invalid-input');
    expect(message).toMatch(/^[^\p{Cc}]{10,1200}\.$/u);
    expect(remedy).toMatch(/\.$/);
    return false;
  }
}
