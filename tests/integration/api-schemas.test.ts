import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { anyObjectGrammar, jsonGrammar } from '../../src/main/api/json-grammar.ts';
import { TestEngine } from '../support/inference.ts';
import { buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

let removeFolder: () => Promise<void>;
const testEngine = new TestEngine();
let path: string;

beforeAll(async () => {
  const { folder, remove } = await temporaryFolder();
  removeFolder = remove;
  path = await buildTinyModel(join(folder, 'tiny.gguf'));
  await testEngine.load(path, { contextSize: 1024 });
});

afterAll(async () => {
  await testEngine.stop();
  await removeFolder();
});

/** What a model of random weights writes with that seed; null where it did not come to an end, or wrote no text. */
async function write(grammar: string, seed: number): Promise<unknown> {
  let text = '';
  const sampling = {
    ...{ temperature: 2, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed, maxTokens: 300 },
    ...{ presencePenalty: 0, frequencyPenalty: 0 },
  };
  const { finish } = await testEngine.engine.run(
    'complete',
    { path, prompt: { text: '' }, adapters: [], stop: [], grammar, sampling },
    {
      onEvent(event) {
        if (event.type === 'piece') text += event.piece;
      },
    },
  );
  // Bytes that are no character count as several once they are text; a model that can write does not write such.
  return finish === 'end' && !text.includes('\uFFFD') ? (JSON.parse(text) as unknown) : null;
}

const short = { type: 'string', maxLength: 4 };
const schemas: Record<string, Record<string, unknown>> = {
  'properties that may be left out': {
    type: 'object',
    properties: { a: { type: 'boolean' }, b: { type: 'null' }, c: { enum: ['x', 1, true] }, d: short },
    required: ['c'],
    additionalProperties: false,
  },
  'nothing that must be there': {
    type: 'object',
    properties: { a: { type: 'boolean' }, 'a "quoted" \\ name': { const: 'é\n"' } },
    additionalProperties: false,
  },
  'a tree that refers to itself': {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { leaf: { type: 'boolean' }, left: { $ref: '#/$defs/node' } },
        required: ['leaf'],
        additionalProperties: false,
      },
    },
  },
  'choices of types': {
    anyOf: [
      { type: ['null', 'boolean'] },
      { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 3 },
    ],
  },
  'lengths and formats': {
    type: 'object',
    properties: {
      day: { type: 'string', format: 'date' },
      id: { type: 'string', format: 'uuid' },
      text: { type: 'string', minLength: 2, maxLength: 5 },
    },
    required: ['day', 'id', 'text'],
    additionalProperties: false,
  },
  'other properties': { type: 'object', additionalProperties: { type: 'boolean' } },
  'a tuple': { type: 'array', prefixItems: [{ type: 'boolean' }, { type: 'null' }], items: false },
};

test.each(Object.entries(schemas))('%s: whatever is written fits', async (_, schema) => {
  const grammar = jsonGrammar(schema);
  const judge = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  const seeds = Array.from({ length: 12 }, (_, seed) => seed);
  const written = (await Promise.all(seeds.map((seed) => write(grammar, seed)))).filter(
    (each) => each !== null,
  );
  // Some go on for ever with white space or a tree.
  expect(written.length).toBeGreaterThan(0);
  for (const each of written) {
    // As a month of 30 days may have 31 of them, only the form is judged.
    const { error } = judge.safeParse(each);
    const faults = error?.issues.filter((issue) => !('format' in issue && issue.format === 'date')) ?? [];
    expect(faults, JSON.stringify(each)).toEqual([]);
  }
  // Not always the same: what may be left out sometimes is.
  if (written.length > 6)
    expect(new Set(written.map((each) => JSON.stringify(each))).size).toBeGreaterThan(1);
});

test('any object is an object', async () => {
  const written = await Promise.all(Array.from({ length: 8 }, (_, seed) => write(anyObjectGrammar, seed)));
  for (const each of written) if (each !== null) expect(each).toBeTypeOf('object');
});
