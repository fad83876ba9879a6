import type { CleanSettings } from './clean.ts';

/** The cleaners, in the order in which they look at an example (`src/main/datasets/clean/index.ts` says why). */
export const cleanerNames = [
  'personal-data',
  'boilerplate',
  'length',
  'language',
  'exact-duplicates',
  'near-duplicates',
] as const;
export type CleanerName = (typeof cleanerNames)[number];

/**
 * Kinds of personal data: addresses of mail, phone numbers, payment cards, Korean resident registration numbers, US social
 * security numbers, bank accounts (IBAN), public internet addresses, keys and tokens, passwords within web addresses.
 */
export const personalKinds = [
  'email',
  'phone',
  'card',
  'rrn',
  'ssn',
  'iban',
  'ip',
  'key',
  'password',
] as const;
export type PersonalKind = (typeof personalKinds)[number];

/** `keep` leaves it as it is, `mask` writes its kind in its place ("[email]"), `drop` leaves the example out. */
export const personalActions = ['keep', 'mask', 'drop'] as const;
export type PersonalAction = (typeof personalActions)[number];

/** Kinds of what says nothing: no words; an assistant refusing; a reply that is its prompt; one piece again and again; machines' messages. */
export const boilerplateKinds = ['empty', 'refusal', 'echo', 'repetition', 'automatic'] as const;
export type BoilerplateKind = (typeof boilerplateKinds)[number];

/** What of a conversation is compared: all of it, or what was asked alone, as Koala did. */
export const comparedParts = ['all', 'asked'] as const;
export type ComparedPart = (typeof comparedParts)[number];

/** Languages that can be told apart, as ISO 639-1 codes; Indonesian is told as Malay. */
export const knownLanguages = [
  ...([
    'ko',
    'en',
    'ja',
    'zh',
    'de',
    'fr',
    'es',
    'it',
    'pt',
    'nl',
    'ru',
    'vi',
    'th',
    'ms',
    'ar',
    'hi',
    'tr',
  ] as const),
  ...([
    'am',
    'az',
    'be',
    'bg',
    'bn',
    'ca',
    'cs',
    'da',
    'el',
    'et',
    'eu',
    'fa',
    'fi',
    'gu',
    'he',
    'hr',
    'hu',
  ] as const),
  ...([
    'hy',
    'is',
    'ka',
    'kn',
    'ku',
    'lo',
    'lt',
    'lv',
    'ml',
    'mr',
    'no',
    'or',
    'pa',
    'pl',
    'ro',
    'sk',
    'sl',
  ] as const),
  ...(['sq', 'sr', 'sv', 'ta', 'te', 'tl', 'uk', 'ur', 'yo'] as const),
] as const;
export type Language = (typeof knownLanguages)[number];

export const defaultCleanSettings: CleanSettings = {
  personalData: {
    on: true,
    kinds: {
      ...{ email: 'mask', phone: 'mask', card: 'mask', rrn: 'mask', ssn: 'mask', iban: 'mask', ip: 'mask' },
      ...{ key: 'mask', password: 'mask' },
    },
  },
  boilerplate: { on: true, kinds: [...boilerplateKinds] },
  // A short answer to a short question has five; a conversation of more than 200,000 exceeds what small models read at once
  // ten times over, and is rather a log. A thousand turns likewise.
  length: { on: true, minCharacters: 5, maxCharacters: 200_000, minTurns: 2, maxTurns: 1000 },
  // A person's own writing is wanted in whatever language it is, unless they say otherwise.
  language: { on: false, keep: ['ko', 'en'] },
  exactDuplicates: { on: true, compare: 'all' },
  nearDuplicates: { on: true, compare: 'all', similarity: 0.8 },
};
