import { ORPCError } from '@orpc/client';
import { toast } from 'svelte-sonner';
import { type ErrorCode, errorCodes } from '../../shared/error.ts';
import { Disconnected } from './connection.svelte.ts';
import { locale, t } from './i18n.svelte.ts';

/**
 * What a failed call says to a person: the sentence and what to do. The program speaks English; in another language, the
 * sentence is that of the failure's kind, and the program's own words follow for the particulars.
 */
export function failureText(thrown: unknown): { sentence: string; remedy: string } {
  if (isBroken(thrown))
    return { sentence: t('failure.disconnected'), remedy: t('failure.disconnectedRemedy') };
  const sentence = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof ORPCError)) return { sentence, remedy: '' };
  const { code, remedy } = dataOf(thrown);
  const own = { sentence, remedy: typeof remedy === 'string' ? withoutOptions(remedy) : '' };
  if (locale() === 'en' || !isErrorCode(code)) return own;
  return { sentence: t(`failure.${code}`), remedy: `${own.sentence} ${own.remedy}`.trim() };
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

/** A sentence with the names that a person knows things by, instead of where Puna keeps them. */
export function named(text: string, items: readonly { path: string | null; label: string }[]): string {
  return items.reduce((so, { path, label }) => (path === null ? so : so.replaceAll(path, label)), text);
}

/** Tells a failure that nothing else shows. That the connection is broken, the whole page shows. */
export function tellFailure(thrown: unknown): void {
  if (isBroken(thrown)) return;
  const { sentence, remedy } = failureText(thrown);
  // The same one again takes the place of the first.
  toast.error(sentence, { id: sentence, duration: 8000, ...(remedy && { description: remedy }) });
}

function isBroken(thrown: unknown): boolean {
  return thrown instanceof Disconnected || (thrown instanceof Error && thrown.name === 'AbortError');
}

function isErrorCode(code: unknown): code is ErrorCode {
  return errorCodes.some((known) => known === code);
}
