import { ORPCError } from '@orpc/client';
import { toast } from 'svelte-sonner';
import type { Failure } from '../../shared/contract/index.ts';
import { type ErrorCode, errorCodes } from '../../shared/error.ts';
import { Disconnected } from './connection.svelte.ts';
import { locale, t } from './i18n.svelte.ts';

/** What a person reads of a failure. */
export interface FailureWords {
  sentence: string;
  /** What to do; empty where nobody knows. */
  remedy: string;
  /** The program's own words, where the others are in another language than those; else empty. */
  own: string;
}

/**
 * What a failure says to a person. The program speaks English; in another language, sentence and remedy are those of the failure's kind,
 * and the program's own words tell the particulars.
 */
export function wordsOf({ code, message, remedy }: Failure): FailureWords {
  const own = { sentence: message, remedy: withoutOptions(remedy), own: '' };
  if (locale() === 'en') return own;
  return {
    sentence: t(`failure.${code}`),
    remedy: t(`failure.remedies.${code}`),
    own: oneLine(own),
  };
}

/** A failure of which the words are known already. */
export class Told extends Error {
  readonly words: FailureWords;

  constructor(words: FailureWords) {
    super(oneLine(words));
    this.words = words;
  }
}

/** What a failed call says to a person. */
export function failureText(thrown: unknown): FailureWords {
  if (thrown instanceof Told) return thrown.words;
  if (isBroken(thrown))
    return { sentence: t('failure.disconnected'), remedy: t('failure.disconnectedRemedy'), own: '' };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = failureCode(thrown);
  if (code === null) return { sentence: message, remedy: '', own: '' };
  const { remedy } = thrown instanceof ORPCError ? dataOf(thrown) : {};
  return wordsOf({ code, message, remedy: typeof remedy === 'string' ? remedy : '' });
}

/** All of it in one line, for where nothing can be unfolded: what is in the person's language, if that says what to do. */
export function oneLine({ sentence, remedy, own }: FailureWords): string {
  return `${sentence} ${remedy || own}`.trim();
}

/** Which kind of failure it is; null where Puna's main part does not say. */
export function failureCode(thrown: unknown): ErrorCode | null {
  const data: unknown = thrown instanceof ORPCError ? thrown.data : null;
  const code: unknown = data && typeof data === 'object' && 'code' in data ? data.code : null;
  return isErrorCode(code) ? code : null;
}

/** Whether a call failed because what it was about no longer exists. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof ORPCError && dataOf(thrown)['code'] === 'not-found';
}

function dataOf({ data }: { data: unknown }): Record<string, unknown> {
  return (data && typeof data === 'object' ? data : {}) as Record<string, unknown>;
}

/** A remedy without the names of command-line options, such as `(--any-base)`, which say nothing in a window. */
export function withoutOptions(remedy: string): string {
  return remedy.replaceAll(/ \(--[a-z-]+\)/g, '');
}

/** Words with the names that a person knows things by, instead of where Puna keeps them. */
export function named(
  { sentence, remedy, own }: FailureWords,
  items: readonly { path: string | null; label: string }[],
): FailureWords {
  const name = (text: string) =>
    items.reduce((so, { path, label }) => (path === null ? so : so.replaceAll(path, label)), text);
  return { sentence: name(sentence), remedy: name(remedy), own: name(own) };
}

/** Tells a failure that nothing else shows. That the connection is broken, the whole page shows. */
export function tellFailure(thrown: unknown): void {
  if (isBroken(thrown)) return;
  // The same one again takes the place of the first.
  const words = failureText(thrown);
  noticeFailure(words, { id: `${words.sentence} ${words.own}` });
}

/** A notice keeps what a later one with its name does not take away. */
export const noButtons = { action: undefined, cancel: undefined } as unknown as {
  action: never;
  cancel: never;
};
/** How long notices are shown: what to do, and the program's own words, which are longer, in milliseconds. */
const shownFor = { remedy: 8000, own: 20_000 };

/** Tells a failure at the edge of the window, where nothing can be unfolded: a button shows the program's own words instead. */
export function noticeFailure({ sentence, remedy, own }: FailureWords, { id }: { id: string }): void {
  const showOwn = (event: Event): void => {
    // Else the notice would go.
    event.preventDefault();
    toast.error(sentence, { ...noButtons, id, description: own, duration: shownFor.own });
  };
  toast.error(sentence, {
    ...noButtons,
    ...{ id, description: remedy || own, duration: shownFor.remedy },
    ...(remedy && own && { action: { label: t('failure.details'), onClick: showOwn } }),
  });
}

function isBroken(thrown: unknown): boolean {
  return thrown instanceof Disconnected || (thrown instanceof Error && thrown.name === 'AbortError');
}

function isErrorCode(code: unknown): code is ErrorCode {
  return errorCodes.some((known) => known === code);
}
