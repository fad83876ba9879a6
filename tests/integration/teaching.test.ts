import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/shell.ts';
import { ask, questions, type Shares, teach, type Taught } from '../support/teaching.ts';

/**
 * A tiny model that knows a part of an invented world is taught twenty facts, with the settings that Puna chooses, and is asked
 * in phrasings in which it was taught none of them. `npm run bench:teaching` prints all figures.
 */
describe('teaching', () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let before: Shares;
  let after: Shares;
  let taught: Taught;
  beforeAll(async () => {
    temporary = await temporaryFolder();
    before = await ask(null);
    taught = await teach(temporary.folder);
    after = await ask(taught.adapter);
  });
  afterAll(() => temporary.remove());

  test('is asked about twenty facts in words in which they were not taught', () => {
    expect(new Set(questions.taught.map(({ question }) => question)).size).toBe(80);
    const asked = questions.heldOut.map(({ question }) => question);
    expect(asked.filter((question) => questions.taught.some((each) => each.question === question))).toEqual(
      [],
    );
    expect(asked).toHaveLength(80);
  });

  test('begins with a model that knows its world, and says of others that it does not know', () => {
    expect(before.known).toBeGreaterThan(0.9);
    expect(before.strangers).toBeGreaterThan(0.8);
    expect(before.heldOut).toBeLessThan(0.2);
  });

  test('makes it answer what it could not answer before', () => {
    // Found: 0.86, and 0.03 before.
    expect(after.heldOut).toBeGreaterThan(0.6);
  });

  test('makes what was held out likelier', () => {
    const { baseValidationLoss, validationLoss } = taught.result;
    expect(validationLoss).toBeLessThan((baseValidationLoss ?? 0) / 2);
  });

  test('leaves most of what it knew before', () => {
    // Found: 0.78. Each fact that is forgotten was answered with one of those that were taught.
    expect(after.known).toBeGreaterThan(0.5);
  });
});
