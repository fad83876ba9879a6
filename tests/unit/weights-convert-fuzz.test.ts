import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PunaError } from '../../src/shared/error.ts';
import { type DescribedGguf, describeGguf } from '../../src/main/weights/convert/index.ts';
import { filesOf, fixturePath } from '../support/described-folders.ts';
import { temporaryFolder } from '../support/shell.ts';
import { seededRandom, type SeededRandom } from '../support/tiny-random.ts';

const mutationsOfEachKind = 250;

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  temporary = await temporaryFolder();
});
afterAll(() => temporary.remove());

const byteMutations: Record<string, (bytes: Buffer, random: SeededRandom) => Buffer> = {
  'some bytes changed': (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let flips = 1 + random.below(4); flips > 0; flips--)
      copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  'cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'a piece lost or doubled': (bytes, random) => {
    const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  'a length made huge': (bytes, random) => {
    const at = random.below(bytes.length);
    const varint = Buffer.from([0xff, 0xff, 0xff, 0xff, random.below(128)]);
    return Buffer.concat([bytes.subarray(0, at), varint, bytes.subarray(at + 1)]);
  },
};

/** Values that no one expects. */
const odd: unknown[] = [
  ...[
    null,
    true,
    '',
    '\ud800',
    '__proto__',
    -1,
    0.5,
    1e300,
    2 ** 31,
    2 ** 53,
    [],
    {},
    [[]],
    [{}],
    ['a', 'b', 'c'],
  ],
  ...[{ type: 'Sequence', pretokenizers: [{}] }, { content: 5 }, { 99: { content: 'x' } }, '<unk>', '▁', ' '],
];

/** The same JSON with one of its values another one. */
function withOddity(value: unknown, random: SeededRandom): unknown {
  if (typeof value !== 'object' || value === null || random.below(5) === 0)
    return odd[random.below(odd.length)];
  const keys = Object.keys(value);
  const key = keys[random.below(keys.length)];
  if (key === undefined) return odd[random.below(odd.length)];
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
  return Object.assign(copy, { [key]: withOddity(Reflect.get(value, key), random) });
}

/** A success that llama.cpp would not survive is none. */
function expectSound({ metadata }: DescribedGguf): void {
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[];
  const types = metadata.get('tokenizer.ggml.token_type')?.value as Int32Array;
  expect(tokens.length).toBeLessThanOrEqual(2 ** 20);
  expect(types).toHaveLength(tokens.length);
  expect(new Set(tokens).size).toBe(tokens.length);
  for (const [key, { value }] of metadata) {
    if (key.endsWith('_token_id')) expect(value).toBeLessThan(tokens.length);
  }
}

async function expectSoundOrRefused(
  folder: string,
  { config, file, content }: { config?: unknown; file?: string; content?: string | Uint8Array },
): Promise<'sound' | 'refused'> {
  const files = filesOf(fixturePath(folder));
  if (file !== undefined && content !== undefined) {
    const path = join(temporary.folder, file);
    await writeFile(path, content);
    files.set(file, path);
  }
  const described =
    config ?? (JSON.parse(readFileSync(fixturePath(folder, 'config.json'), 'utf8')) as unknown);
  try {
    expectSound(await describeGguf({ config: described, files, name: 'x' }));
    return 'sound';
  } catch (thrown) {
    if (!(thrown instanceof PunaError)) throw thrown;
    expect(thrown.code).not.toBe('internal');
    expect(thrown.message.length).toBeLessThan(400);
    return 'refused';
  }
}

const damagedFiles = [
  ['llama', 'tokenizer.model'],
  ['llama-unigram', 'tokenizer.model'],
  ['qwen2', 'tokenizer.json'],
] as const;

describe.each(damagedFiles)(
  'The %s folder with its %s damaged is refused, or described whole:',
  (folder, file) => {
    it.each(Object.entries(byteMutations))('%s', async (_, mutate) => {
      const random = seededRandom(17);
      const original = readFileSync(fixturePath(folder, file));
      const outcomes = new Set<string>();
      for (let count = 0; count < mutationsOfEachKind; count++) {
        outcomes.add(await expectSoundOrRefused(folder, { file, content: mutate(original, random) }));
      }
      expect(outcomes).toContain('refused');
    });
  },
);

describe('A folder in which something is not what it should be is refused, or described whole:', () => {
  it.each([
    ['qwen2', 'tokenizer.json'],
    ['llama-fast', 'tokenizer.json'],
    ['gemma3', 'tokenizer_config.json'],
    ['llama', 'tokenizer_config.json'],
  ] as const)('in %s, %s', async (folder, file) => {
    const random = seededRandom(23);
    const original: unknown = JSON.parse(readFileSync(fixturePath(folder, file), 'utf8'));
    const outcomes = new Set<string>();
    for (let count = 0; count < mutationsOfEachKind; count++) {
      const content = JSON.stringify(withOddity(original, random));
      outcomes.add(await expectSoundOrRefused(folder, { file, content }));
    }
    expect(outcomes).toEqual(new Set(['sound', 'refused']));
  });

  it.each(['llama3', 'gemma3', 'phi3'])('in %s, config.json', async (folder) => {
    const random = seededRandom(29);
    const original: unknown = JSON.parse(readFileSync(fixturePath(folder, 'config.json'), 'utf8'));
    for (let count = 0; count < mutationsOfEachKind; count++) {
      const config = withOddity(original, random);
      await expectSoundOrRefused(folder, { config });
    }
  });
});
