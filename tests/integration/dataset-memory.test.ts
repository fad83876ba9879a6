import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/shell.ts';

/**
 * Of the file, and the most that the process may take. Node alone takes 100, and what its garbage collector leaves for later some
 * 200; whoever held the file, and what is parsed of it, would need several times its size besides.
 */
const megabytes = { file: 200, peak: 450 };

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (temporary = await temporaryFolder()));
afterAll(() => temporary.remove());

interface Exchange {
  question: string;
  answer: string;
}

/** How each kind of file begins, has an exchange, and ends. */
const kinds = {
  jsonl: ['', ({ question, answer }) => `${JSON.stringify({ prompt: question, completion: answer })}\n`, ''],
  json: ['[null', (exchange) => `,${JSON.stringify(exportedConversation(exchange))}`, ']'],
  csv: ['prompt,reply\n', ({ question, answer }) => `"${question}","${answer}"\n`, ''],
} satisfies Record<string, [string, (exchange: Exchange) => string, string]>;

test.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  'Importing a large %s file takes less memory than holding it',
  async (kind) => {
    expect(await peakOfImport(kind)).toBeLessThan(megabytes.peak);
  },
);

/** The most memory that `puna dataset import` takes, in megabytes. */
async function peakOfImport(kind: keyof typeof kinds): Promise<number> {
  const path = join(temporary.folder, `data.${kind}`);
  await pipeline(Readable.from(pieces(kind)), createWriteStream(path));
  const words = ['dataset', 'import', path, '--out', join(temporary.folder, 'imported.jsonl')];
  const child = spawn(process.execPath, ['--import', './bench/tell-usage.ts', 'src/main/cli.ts', ...words], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [told, [status]] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'close')]);
  await rm(path);
  expect(status).toBe(0);
  return Number(told.split(' ')[0]) / 1e6;
}

function* pieces(kind: keyof typeof kinds): Generator<string> {
  const [begin, exchange, end] = kinds[kind];
  yield begin;
  let written = 0;
  for (let index = 0; written < megabytes.file * 1e6;) {
    let block = '';
    while (block.length < 2 ** 20) {
      block += exchange({ question: `What is ${index}?`, answer: `${index} ${words}` });
      index++;
    }
    written += block.length;
    yield block;
  }
  yield end;
}

const words = 'the people may find water and call it a good day '.repeat(80);

/** As ChatGPT exports it. */
function exportedConversation({ question, answer }: Exchange) {
  const message = (role: string, said: string) => ({
    ...{ author: { role }, content: { content_type: 'text', parts: [said] } },
  });
  return {
    mapping: {
      root: { parent: null, children: ['asked'] },
      asked: { message: message('user', question), parent: 'root', children: ['answered'] },
      answered: { message: message('assistant', answer), parent: 'asked', children: [] },
    },
    current_node: 'answered',
  };
}
