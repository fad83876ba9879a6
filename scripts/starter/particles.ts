/** Pairs of Korean particles: behind a final consonant, and behind a vowel. */
const pairs = [
  '이/가',
  '은/는',
  '을/를',
  '과/와',
  '이란/란',
  '이라는/라는',
  '이에요/예요',
  '이야/야',
  '이라고/라고',
  '이랑/랑',
  '이면/면',
];
const particle = new RegExp(`(${pairs.toSorted((one, other) => other.length - one.length).join('|')})`);

/** Letters and digits whose Korean names end in a consonant: 엘, 엠, 엔, 알; 영, 일, 삼, 육, 칠, 팔. */
const closed = /[lmnr013678]$/i;

/** Puts a word into the places of a sentence that hold `slot`, and chooses the particles behind it: `{}이/가` → `랭크가`. */
export function fill(sentence: string, slot: string, word: string): string {
  const [first = '', ...rest] = sentence.split(slot);
  return rest.reduce((text, part) => text + word + withParticle(part, word), first);
}

function withParticle(part: string, word: string): string {
  const [found] = particle.exec(part) ?? [];
  if (found === undefined || !part.startsWith(found)) return part;
  const [closedForm = '', openForm = ''] = found.split('/');
  return (endsInConsonant(word) ? closedForm : openForm) + part.slice(found.length);
}

function endsInConsonant(word: string): boolean {
  const last = word.replace(/\(.*\)$/, '').at(-1) ?? '';
  const syllable = last.charCodeAt(0) - 0xac00;
  // 28 endings of a syllable, the first of which is none.
  return syllable >= 0 && syllable < 11_172 ? syllable % 28 !== 0 : closed.test(last);
}
