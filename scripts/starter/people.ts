import { linesOf, listed, type Language, languages } from './text.ts';
import type { Draw } from './random.ts';
import { fill } from './particles.ts';
import { readData } from './topics.ts';
import type { Slots } from './slots.ts';

/** Something that people are asked about themselves, and how they answer. */
interface Subject {
  asked: Record<Language, string[]>;
  answer: Record<Language, string>;
}

/** Where the starter is asked to be somebody, it says such things; otherwise it has no life to tell of. */
export const imagining = { en: 'Be somebody.', ko: '누군가가 되어 봐.' } as const satisfies Record<
  Language,
  string
>;

/** Invented people who tell of themselves: something else each time. */
export class People {
  readonly #subjects: Subject[] = [];
  readonly #lists = new Map<string, string[]>();
  readonly #slots: Slots;

  constructor(slots: Slots) {
    this.#slots = slots;
    for (const line of readData('people').split('\n')) {
      if (!line.startsWith('= ')) continue;
      const [key = '', text = ''] = line.slice(2).split(': ');
      this.#lists.set(key, listed(text));
    }
    const topics = readData('people').replace(/^= .*$/gm, '');
    for (const { key, sign, text } of linesOf(topics)) {
      if (key === '==') this.#subjects.push({ asked: { en: [], ko: [] }, answer: { en: '', ko: '' } });
      const subject = this.#subjects.at(-1);
      const language = languages.find((each) => each === key);
      if (!subject || !language) continue;
      if (sign === '>') subject.answer[language] = text;
      else subject.asked[language].push(...listed(text));
    }
  }

  next(language: Language, draw: Draw): { question: string; answer: string } {
    const { asked, answer } = draw.of(this.#subjects);
    return {
      question: this.#filled(draw.of(asked[language]), language, draw),
      answer: this.#filled(answer[language], language, draw),
    };
  }

  #filled(sentence: string, language: Language, draw: Draw): string {
    let text = sentence;
    for (let slot = slotIn(text); slot !== null; slot = slotIn(text)) {
      const list = this.#lists.get(`${slot}-${language}`);
      const word = list ? draw.of(list) : this.#slots.word(slot, language, 'learnt', draw);
      const at = text.indexOf(`{${slot}}`);
      const end = text.indexOf('{', at + 1);
      const tail = end < 0 ? text.length : end;
      text = text.slice(0, at) + fill(text.slice(at, tail), `{${slot}}`, word) + text.slice(tail);
    }
    return text;
  }
}

function slotIn(text: string): string | null {
  return /\{([A-Za-z]+)\}/.exec(text)?.[1] ?? null;
}
