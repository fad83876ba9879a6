// @vitest-environment jsdom
import { ORPCError } from '@orpc/client';
import { toast } from 'svelte-sonner';
import { afterEach, describe, expect, it } from 'vitest';
import { failureText, noticeFailure, oneLine, Told, wordsOf } from '../../src/renderer/lib/failure.ts';
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
    expect(wordsOf(refused)).toEqual({
      sentence: '그렇게는 할 수 없어요.',
      remedy: '고르거나 적은 것을 확인해 주세요.',
      own: 'x is an adapter. Choose its model.',
    });
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

  it('of which the words are known is told in these', () => {
    const words = { sentence: 'a', remedy: 'b', own: 'c' };
    expect(failureText(new Told(words))).toBe(words);
  });

  it('has a sentence and a remedy for each kind', () => {
    for (const words of [ko, ko.remedies]) {
      expect(errorCodes.filter((code) => !/요\.$/.test(words[code]))).toEqual([]);
    }
    const kinds = [...errorCodes].sort();
    expect(Object.keys(en.remedies).sort()).toEqual(kinds);
    expect(Object.keys(ko.remedies)).toEqual(Object.keys(en.remedies));
    expect(errorCodes.filter((code) => !en[code].endsWith('.'))).toEqual([]);
  });
});

describe('a notice of a failure', () => {
  const last = () => {
    const [notice, ...others] = toast.getActiveToasts();
    expect(others).toEqual([]);
    return notice && 'title' in notice ? notice : undefined;
  };
  afterEach(() => toast.dismiss());

  it('has no button where the program speaks the language of the page', () => {
    noticeFailure(wordsOf(refused), { id: 'one' });
    expect(last()).toMatchObject({ title: 'x is an adapter.', description: 'Choose its model.' });
    expect(last()?.action).toBeUndefined();
  });

  it('shows the words of the program at the press of a button, and stays for it', () => {
    setLanguage('ko');
    noticeFailure(wordsOf(refused), { id: 'two' });
    expect(last()).toMatchObject({ title: ko['invalid-input'], description: ko.remedies['invalid-input'] });
    const action = last()?.action;
    if (typeof action !== 'object' || !('onClick' in action)) throw new Error('There is no button.');
    expect(action.label).toBe('자세히 (영어)');
    const button = document.createElement('button');
    button.onclick = (event) => void Reflect.apply(action.onClick, button, [event]);
    // The notice goes unless that is prevented.
    expect(button.dispatchEvent(new MouseEvent('click', { cancelable: true }))).toBe(false);
    expect(last()).toMatchObject({
      title: ko['invalid-input'],
      description: 'x is an adapter. Choose its model.',
    });
    expect(last()?.action).toBeUndefined();
  });
});
