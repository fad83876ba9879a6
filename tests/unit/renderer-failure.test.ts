// @vitest-environment jsdom
import { ORPCError } from '@orpc/client';
import { afterEach, describe, expect, it } from 'vitest';
import { failureText, oneLine, wordsOf } from '../../src/renderer/lib/failure.ts';
import { setLanguage } from '../../src/renderer/lib/i18n.svelte.ts';
import { en } from '../../src/renderer/messages/failures/en.ts';
import { ko } from '../../src/renderer/messages/failures/ko.ts';
import { errorCodes } from '../../src/shared/error.ts';

const full = {
  code: 'disk-full' as const,
  message: 'No space on /data.',
  remedy: 'Free some space (--out).',
};
const refused = { code: 'invalid-input' as const, message: 'x is an adapter.', remedy: 'Choose its model.' };

afterEach(() => setLanguage('en'));

describe('a failure', () => {
  it('is told in the words of the program where these are in the language of the page, without options', () => {
    expect(wordsOf(full)).toEqual({ sentence: full.message, remedy: 'Free some space.', own: '' });
  });

  it('is told in Korean by its kind, with the words of the program for the particulars', () => {
    setLanguage('ko');
    expect(wordsOf(full)).toEqual({
      sentence: ko['disk-full'],
      remedy: ko.remedies['disk-full'],
      own: 'No space on /data. Free some space.',
    });
    expect(oneLine(wordsOf(full))).toBe(`${ko['disk-full']} ${ko.remedies['disk-full']}`);
    // Where the kind does not tell what to do, the program does.
    expect(wordsOf(refused)).toMatchObject({ remedy: '', own: 'x is an adapter. Choose its model.' });
    expect(oneLine(wordsOf(refused))).toBe(`${ko['invalid-input']} x is an adapter. Choose its model.`);
  });

  it('of a call is told alike, and what no kind is known of by itself', () => {
    setLanguage('ko');
    const { message, code, remedy } = full;
    expect(failureText(new ORPCError('FAILED', { message, data: { code, remedy } }))).toEqual(wordsOf(full));
    expect(failureText(new Error('Nothing in it.'))).toEqual({
      sentence: 'Nothing in it.',
      remedy: '',
      own: '',
    });
  });

  it('has a sentence for each kind, and remedies for no other ones', () => {
    expect(errorCodes.filter((code) => !en[code] || !/요\.$/.test(ko[code]))).toEqual([]);
    const kinds: readonly string[] = errorCodes;
    expect(Object.keys(ko.remedies).filter((code) => !kinds.includes(code))).toEqual([]);
    expect(Object.keys(ko.remedies)).toEqual(Object.keys(en.remedies));
  });
});
