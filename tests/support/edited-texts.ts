/** A seeded stream of numbers in [0, 1): mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

const words = {
  en: `river mountain letter garden window morning teacher market bridge candle winter story kitchen paper engine forest village
    doctor island mirror silver camera ticket summer harbor station library museum pencil bottle carpet basket butter dinner
    walks reads opens carries finds paints follows answers remembers watches builds sells repairs cleans writes brings
    slowly quietly often never today tomorrow together alone twice again behind under across without before after toward
    old small bright cold quiet heavy empty narrow yellow gentle broken hidden simple distant wooden early
    the a her his every another this that some and but because while when`,
  ko: `강물 산길 편지 정원 창문 아침 선생님 시장 다리 촛불 겨울 이야기 부엌 종이 기차 숲속 마을 의사 섬마을 거울 사진기 표 여름
    항구 역 도서관 박물관 연필 유리병 양탄자 바구니 저녁밥 걷는다 읽는다 연다 옮긴다 찾는다 그린다 따라간다 대답한다 기억한다
    바라본다 짓는다 판다 고친다 닦는다 쓴다 가져온다 천천히 조용히 자주 오늘 내일 함께 혼자 다시 뒤에서 아래에서 건너편에 없이
    오래된 작은 밝은 차가운 고요한 무거운 비어있는 좁은 노란 다정한 부서진 숨은 단순한 먼 나무로 이른 그리고 하지만 왜냐하면`,
};
export type Writing = keyof typeof words;

/** A text of so many words by chance. */
export function writtenText(writing: Writing, count: number, random: () => number): string[] {
  const list = words[writing].split(/\s+/);
  return Array.from({ length: count }, () => list[Math.floor(random() * list.length)] ?? '');
}

/** The text with so many words replaced, left out, added or doubled, wherever chance has it. */
export function edited(
  text: readonly string[],
  edits: number,
  writing: Writing,
  random: () => number,
): string[] {
  const result = [...text];
  for (let edit = 0; edit < edits; edit++) {
    const at = Math.floor(random() * result.length);
    const left = random() < 0.6 ? 1 : 0;
    const added = left === 1 && random() < 0.4 ? [] : writtenText(writing, 1, random);
    result.splice(at, left, ...added);
  }
  return result;
}

/** As people write it down again: other case and white space, a full stop here and there. */
export function rendered(text: readonly string[], random: () => number): string {
  return text
    .map((word) => {
      const cased = random() < 0.1 ? word.toUpperCase() : word;
      return random() < 0.1 ? `${cased}. ` : cased;
    })
    .join(random() < 0.5 ? ' ' : '\n');
}

/** Jaccard similarity by definition, over sets of three words, or of three syllables of Korean. */
export function exactSimilarity(writing: Writing, a: readonly string[], b: readonly string[]): number {
  const [first, second] = [triples(writing, a), triples(writing, b)];
  return first.intersection(second).size / first.union(second).size;
}

/** Which texts are as similar as that to an earlier one that is no duplicate itself, comparing each with each. */
export function exactDuplicatesAmong(
  writing: Writing,
  texts: readonly (readonly string[])[],
  similarity: number,
): boolean[] {
  const first: Set<string>[] = [];
  return texts.map((text) => {
    const own = triples(writing, text);
    const isDuplicate = first.some((other) => {
      // Sets whose sizes differ more cannot be so similar, which spares most intersections.
      const [few, many] = own.size < other.size ? [own, other] : [other, own];
      if (few.size < many.size * similarity) return false;
      const shared = few.intersection(many).size;
      return shared >= similarity * (few.size + many.size - shared);
    });
    if (!isDuplicate) first.push(own);
    return isDuplicate;
  });
}

function triples(writing: Writing, text: readonly string[]): Set<string> {
  const units = writing === 'ko' ? Array.from(text.join('')) : text;
  return new Set(units.slice(2).map((unit, at) => `${units[at]} ${units[at + 1]} ${unit}`));
}
