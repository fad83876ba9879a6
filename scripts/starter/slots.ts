import { fill } from './particles.ts';
import type { Draw } from './random.ts';
import { type Language, linesOf, listed, type Phrasings } from './text.ts';
import { readData } from './topics.ts';

/** Fills the slots of sentences, such as {place}, from lists or by invention. */
export class Slots {
  readonly #lists = new Map<string, Phrasings>();

  constructor() {
    for (const { key, text } of linesOf(readData('lists'))) {
      const [learnt = '', heldOut = ''] = text.split('~');
      this.#lists.set(key, { learnt: listed(learnt), heldOut: listed(heldOut) });
    }
  }

  /** The sentence with words of the lists. `kind`: whether they are those that are learnt. */
  fill(sentence: string, language: Language, kind: keyof Phrasings, draw: Draw): string {
    let text = sentence;
    for (const [slot = '', name = ''] of sentence.matchAll(/\{([a-z]+)\}/g)) {
      // One at a time: a slot that occurs twice holds two words.
      const at = text.indexOf(slot);
      const word = this.word(name, language, kind, draw);
      const [head, tail] = [text.slice(0, at), text.slice(at)];
      const next = tail.indexOf(slot, slot.length);
      const end = next < 0 ? tail.length : next;
      text = head + fill(tail.slice(0, end), slot, word) + tail.slice(end);
    }
    return text;
  }

  word(name: string, language: Language, kind: keyof Phrasings, draw: Draw): string {
    const list = this.#lists.get(`${name}-${language}`) ?? this.#lists.get(name);
    if (!list) throw new Error(`There is no list ${name} in ${language}.`);
    if (name === 'name' && draw.chance(inventedNames)) return inventedName(language, draw);
    const word = draw.of(list[list[kind].length > 0 ? kind : 'learnt']);
    return word.startsWith('@') ? invented(word.slice(1), draw) : word;
  }
}

/** Most names are invented: from a list alone a model learns the list, and not to repeat what it was told. */
const inventedNames = 0.6;
const consonants = [...'bcdfghjklmnprstvwyz', 'ch', 'sh', 'th', 'br', 'kr', 'tr'];
const vowels = [...'aeiou', 'ee', 'oo', 'ai'];
/** Syllables that Korean names and words are rich in. */
const syllables = [
  ...'가강건경고관광교구국권규근금기길김나남노다단대덕도동두라로루리마만명모무문미민바박배백범병보복봄빈사산상서석선성세소손솔송수숙순승시신아안양연영예오옥온완용우운웅원월유윤율은의이인일자장재전정제조종주준지진차찬창채철초춘충치태하한해향허현형혜호홍화환황효후훈휘희뭉콩별달밤꽃풀숲봉',
];

function inventedName(language: Language, draw: Draw): string {
  if (language === 'ko') return draw.of(syllables) + draw.of(syllables);
  const sound = () => draw.of(consonants) + draw.of(vowels);
  const name = sound() + sound() + (draw.chance(0.4) ? draw.of([...'nlrmst']) : '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function invented(kind: string, draw: Draw): string {
  const many = (least: number, most: number, make: () => string) =>
    Array.from({ length: least + draw.below(most - least + 1) }, make).join('');
  switch (kind) {
    case 'number':
      return String(draw.below(draw.of([10, 100, 1000, 10_000])));
    case 'letters':
      return many(2, 7, () => draw.of([...'abcdefghijklmnopqrstuvwxyz']));
    case 'jamo':
      return many(1, 4, () => String.fromCharCode(0x3131 + draw.below(51)));
    case 'syllables':
      // Any of them, so that none is unheard of.
      return many(2, 4, () => String.fromCharCode(0xac00 + draw.below(11_172)));
    default:
      throw new Error(`Nobody knows how to invent ${kind}.`);
  }
}
