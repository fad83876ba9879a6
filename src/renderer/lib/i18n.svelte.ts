import i18next, { type TOptions } from 'i18next';
import type { Settings } from '../../shared/contract/index.ts';
import { en, type Messages } from '../messages/en.ts';
import { ko } from '../messages/ko.ts';
import { recall, remember } from './remembered.ts';

type Paths<Tree> = {
  [Key in keyof Tree & string]: Tree[Key] extends string ? Key : `${Key}.${Paths<Tree[Key]>}`;
}[keyof Tree & string];

type PluralSuffix = 'zero' | 'one' | 'two' | 'few' | 'many' | 'other';
type WithoutPlural<Key extends string> = Key extends `${infer Stem}_ordinal_${PluralSuffix}`
  ? Stem
  : Key extends `${infer Stem}_${PluralSuffix}`
    ? Stem
    : Key;

/** A text of the interface; a key that is not in messages/en.ts does not compile. */
export type MessageKey = WithoutPlural<Paths<Messages>>;

type Language = 'en' | 'ko';

let language = $state<Language>('en');

void i18next.init({
  lng: 'en',
  fallbackLng: 'en',
  resources: { en: { translation: en }, ko: { translation: ko } },
  // Svelte escapes what it shows.
  interpolation: { escapeValue: false },
});

/** The text in the person's language. Reading it in a component makes that follow a change of language. */
export function t(key: MessageKey, values: TOptions = {}): string {
  return i18next.t(key, { ...values, lng: language });
}

/** A locale for Intl, in step with `t`. */
export function locale(): Language {
  return language;
}

export function setLanguage(wanted: Settings['language']): void {
  language = wanted === 'system' ? systemLanguage() : wanted;
  document.documentElement.lang = language;
  remember('language', wanted === 'system' ? null : wanted);
}

/** The language of last time, until the settings are there. */
export function useRememberedLanguage(): void {
  const last = recall('language');
  setLanguage(last === 'en' || last === 'ko' ? last : 'system');
}

/** The first of the person's languages that Puna speaks. */
function systemLanguage(): Language {
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2));
  return spoken.find((tag): tag is Language => tag === 'en' || tag === 'ko') ?? 'en';
}
