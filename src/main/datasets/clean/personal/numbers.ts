import { ibanLengthAt, isCardNumber, isResidentNumber } from './checks.ts';
import { type Found, matches } from './found.ts';

/** Digits in one piece or in the groups of cards, with the same separator throughout; nothing of a longer number around. */
const card =
  /(?<![A-Za-z0-9_.]|\d-)(?:\d{13,19}|\d{4}(?:([ -])\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5}))(?![A-Za-z0-9_]|[-.]\d)/g;

const resident = /(?<![A-Za-z0-9_.]|\d-)\d{6}(?: ?- ?)?\d{7}(?![A-Za-z0-9_]|[-.]\d)/g;

/** Area 000, 666 and from 900 on, group 00 and serial 0000 are never given (Social Security Administration). */
const socialSecurity =
  /(?<![A-Za-z0-9_.]|\d-)(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![A-Za-z0-9_]|[-.]\d)/g;

/** Country and check digits; how many characters follow, the country says. */
const ibanStart = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}/g;

/** Numbers of cards, of persons and of bank accounts. */
export function* numbers(text: string): Generator<Found> {
  yield* ibans(text);
  yield* matches('rrn', resident, text, isResidentNumber);
  yield* matches('card', card, text, isCardNumber);
  yield* matches('ssn', socialSecurity, text);
}

function* ibans(text: string): Generator<Found> {
  for (const { start } of matches('iban', ibanStart, text)) {
    const length = ibanLengthAt(text, start);
    if (length > 0) yield { kind: 'iban', start, end: start + length };
  }
}
