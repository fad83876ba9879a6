import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { BareLlama } from '../support/bare-llama.ts';
import { describeFixture, expectedOf, fixtureFolders, writeDescribed } from '../support/described-folders.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  temporary = await temporaryFolder();
});
afterAll(() => temporary.remove());

describe('llama.cpp with a described folder takes texts apart as the tokenizer itself does:', () => {
  it.each(fixtureFolders())('%s', async (folder) => {
    const path = await writeDescribed(
      join(temporary.folder, `${folder}.gguf`),
      await describeFixture(folder),
    );
    using llama = new BareLlama(path, { threads: 1, contextSize: 64 });
    const { ids } = expectedOf(folder);
    const found = ids.map(({ text }) => ({ text, ids: [...llama.tokenize(text)] }));
    expect(found).toEqual(ids);
    expect(ids.length).toBeGreaterThan(5);
  });
});
