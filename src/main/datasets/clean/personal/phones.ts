import { type Found, matches } from './found.ts';

/** No digit, letter, decimal point or further group of digits around: it would be a part of another number. */
const before = String.raw`(?<![\w.+]|\d[-/.])`;
const after = String.raw`(?![A-Za-z0-9_]|[-/.]\d)`;

function number(...forms: string[]): RegExp {
  return new RegExp(`${before}(?:${forms.join('|')})${after}`, 'g');
}

/** Korean numbers: of mobiles with any separator or none, of other kinds with hyphens or an area in brackets. */
const korean = number(
  String.raw`010[-. ]?\d{4}[-. ]?\d{4}`,
  String.raw`01[16-9]([-. ])\d{3,4}\1\d{4}`,
  String.raw`0(?:2|[3-6]\d|70|50\d)(?:-|\) ?)\d{3,4}-\d{4}`,
  String.raw`\(0(?:2|[3-6]\d|70|50\d)\) ?\d{3,4}-\d{4}`,
);

/** North American numbers as they are written there; area and exchange never begin with 0 or 1. */
const american = number(
  String.raw`(?:1-)?[2-9]\d{2}-[2-9]\d{2}-\d{4}`,
  String.raw`\([2-9]\d{2}\) ?[2-9]\d{2}-\d{4}`,
);

/** A plus sign and at most fifteen digits (E.164), in groups as one likes. */
const international = /(?<![\w+.)\]])\+[1-9](?:[ .\-()/]{0,2}\d){7,14}(?![A-Za-z0-9_]|[-/.]\d)/g;
/** A line that was added to a file often begins with a date. */
const dateAdded = /^\+\d{4}[-./]\d{2}[-./]\d{2}/;
/** "+12345678" is arithmetic: written together, a number has country, area and subscriber. */
const minDigitsTogether = 10;

/** Phone numbers. */
export function* phones(text: string): Generator<Found> {
  yield* matches('phone', international, text, isPhone);
  yield* matches('phone', korean, text);
  yield* matches('phone', american, text);
}

function isPhone(item: string): boolean {
  if (dateAdded.test(item)) return false;
  return /^\+\d+$/.test(item) ? item.length > minDigitsTogether : true;
}
