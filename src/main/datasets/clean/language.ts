import type { CleanSettings } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { type Cleaner, dropped, kept, type Verdict } from './cleaner.ts';
import { proseOf } from './prose.ts';
import { textsOf } from './texts.ts';

/** Beginnings of turns and long texts say enough: what is looked at of one example, in UTF-16 code units. */
const maxCharacters = 20_000;
/** The detector reads no more at once. */
const pieceCharacters = 800;
/** With fewer letters, in the weights below, no language is sure. */
const minWeight = 16;
/** A syllable of Hangul or a sign of Han says what some three letters of an alphabet say. */
const syllableWeight = 3;
/** Of a Japanese text's signs, more than these are kana; a Chinese one quotes a few at most. */
const minKanaShare = 0.05;

const hangul = /\p{Script=Hangul}/gu;
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const han = /\p{Script=Han}/gu;
const letters = /\p{L}/gu;
const syllables = /[\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}ー]+/gu;

/** The language of a piece of text written with an alphabet, as an ISO 639-1 code; null when it is not sure. */
export type Detector = (text: string) => string | null;

/** The n-grams take some 40 MB, so they are loaded when a cleaner needs them. */
export async function loadDetector(): Promise<Detector> {
  const { eld } = await import('eld/small');
  return (text) => {
    const found = eld.detect(text);
    return found.isReliable() ? found.language : null;
  };
}

/** Drops what is in other languages than those to keep; reasons are the languages' codes. Code and short texts stay. */
export async function languageCleaner({ keep }: CleanSettings['language']): Promise<Cleaner> {
  const detect = await loadDetector();
  const wanted = new Set<string>(keep);

  function judge(example: Example): Verdict {
    const texts = textsOf(example);
    const language = languageOf(texts, detect);
    return language === null || wanted.has(language) ? kept : dropped(language, texts.join(' '));
  }

  return { name: 'language', judge };
}

/**
 * The language in which most of the texts is; null when that is unknown, as for code and a few words. Korean, Japanese and
 * Chinese are told by their scripts, whatever English words stand among them; the detector tells the others.
 */
export function languageOf(texts: readonly string[], detect: Detector): string | null {
  const weights = new Map<string | null, number>();
  const add = (language: string | null, weight: number) => {
    if (weight > 0) weights.set(language, (weights.get(language) ?? 0) + weight);
  };
  let [kanas, hans] = [0, 0];
  for (const text of evenly(texts)) {
    const prose = proseOf(text).normalize('NFC');
    add('ko', count(prose, hangul) * syllableWeight);
    kanas += count(prose, kana);
    hans += count(prose, han);
    for (const piece of pieces(prose.replaceAll(syllables, ' '))) add(detect(piece), count(piece, letters));
  }
  add(kanas > (kanas + hans) * minKanaShare ? 'ja' : 'zh', (kanas + hans) * syllableWeight);
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  if (total < minWeight) return null;
  const [most] = [...weights].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

/** The beginnings of texts, each with its share of what is looked at. */
function evenly(texts: readonly string[]): string[] {
  const share = Math.max(pieceCharacters, Math.floor(maxCharacters / texts.length));
  const few = texts.slice(0, Math.ceil(maxCharacters / share));
  return few.map((text) => text.slice(0, share));
}

function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += pieceCharacters) yield text.slice(at, at + pieceCharacters);
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
