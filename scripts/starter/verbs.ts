/** The forms of a Korean verb that a sentence may ask for in braces, each made from its stem. */
const forms: readonly (readonly [string, (stem: Stem) => string])[] = [
  ['{려면}', ({ text, closed }) => `${text}${closed ? '으려면' : '려면'}`],
  ['{려고}', ({ text, closed }) => `${text}${closed ? '으려고' : '려고'}`],
  ['{는}', ({ bare }) => `${bare}는`],
  ['{나요}', ({ bare }) => `${bare}나요`],
  ['{고}', ({ text }) => `${text}고`],
  ['{ㄹ}', ({ text, bare, closed }) => (closed ? `${text}을` : withFinal(bare, rieul))],
];

interface Stem {
  text: string;
  /** Without the final ㄹ that some endings drop. */
  bare: string;
  /** Ends in a consonant other than ㄹ. */
  closed: boolean;
}

/** ㄹ among the 28 endings of a syllable, the first of which is none. */
const rieul = 8;
const endings = 28;

/** Puts a verb, given by its stem, into a sentence: `{려면} 어떻게 해요?`, `찾` → `찾으려면 어떻게 해요?` Regular verbs only. */
export function conjugated(sentence: string, verb: string): string {
  const final = finalOf(verb);
  const stem: Stem = {
    text: verb,
    bare: final === rieul ? withFinal(verb, 0) : verb,
    closed: final !== 0 && final !== rieul,
  };
  return forms.reduce((text, [form, make]) => text.replace(form, make(stem)), sentence);
}

function finalOf(text: string): number {
  return (text.charCodeAt(text.length - 1) - 0xac00) % endings;
}

function withFinal(text: string, final: number): string {
  const last = text.charCodeAt(text.length - 1);
  return text.slice(0, -1) + String.fromCharCode(last - finalOf(text) + final);
}
