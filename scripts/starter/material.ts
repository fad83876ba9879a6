import { shuffled } from '../../src/main/training/batches.ts';
import { fill } from './particles.ts';
import type { Draw } from './random.ts';
import { People } from './people.ts';
import { Slots } from './slots.ts';
import { type InBoth, type Language, linesOf, listed, type Phrasings } from './text.ts';
import { framed, readData, readFrames, readTopics, type Topic } from './topics.ts';

/** What is asked, and what is to be answered. */
export interface Exchange {
  language: Language;
  question: string;
  /** In the language of the question, and what it would be in the other one. */
  reply: InBoth<string>;
  topic: Topic | null;
}

/** Ways to speak in the middle of a conversation; the keys are those of data/chat.txt. */
type Kind = keyof Phrasings;

/** Slots with words that are held out; numbers and letters are invented anew each time. */
const strangeSlot = /\{(thing|place|person|work|animal|language|pet|relative|favourite)\}/;

/** How often a topic that can be asked for in frames is. */
const inFrame = 0.25;

/** All that the starter is taught: topics with their phrasings, and what refers to what was said before. */
export class Material {
  readonly topics: readonly Topic[];
  readonly #frames = readFrames();
  readonly #slots = new Slots();
  readonly people = new People(this.#slots);
  readonly #chat = new Map<string, Phrasings>();
  readonly #answers = new Map<string, string>();
  /** Of each topic, its own phrasings and its name in all frames. */
  readonly #framed = new Map<string, string[]>();

  /** `topics`: others than those of the data, such as the same with other answers. */
  constructor(topics: readonly Topic[] = readTopics()) {
    this.topics = topics;
    for (const { key, sign, text } of linesOf(readData('chat'))) {
      if (sign === '>') this.#answers.set(key, text);
      else {
        const phrasings = this.#chat.get(key) ?? { learnt: [], heldOut: [] };
        phrasings[sign === '~' ? 'heldOut' : 'learnt'].push(...listed(text));
        this.#chat.set(key, phrasings);
      }
    }
  }

  /** A question about a topic, as it stands in the data. */
  ask(topic: Topic, language: Language, kind: Kind, draw: Draw): Exchange {
    const own = topic.asked[language][kind];
    const inFrames = this.#inFrames(topic, language, kind);
    // Its own phrasings say something more special than its name in a frame.
    const pool = own.length === 0 || (inFrames.length > 0 && draw.chance(inFrame)) ? inFrames : own;
    const question = this.#slots.fill(draw.of(pool), language, kind, draw);
    return { language, question, reply: topic.answer, topic };
  }

  /** Every phrasing of a topic once; of sentences with slots, as many fillings. */
  all(topic: Topic, language: Language, kind: Kind, draw: Draw): Exchange[] {
    return [...topic.asked[language][kind], ...this.#inFrames(topic, language, kind)].map((sentence) => ({
      ...{ language, reply: topic.answer, topic },
      question: this.#slots.fill(sentence, language, kind, draw),
    }));
  }

  /** Sentences that are learnt, with words of the lists that are not; no more than there are sentences with slots. */
  strange(topic: Topic, language: Language, count: number, draw: Draw): Exchange[] {
    const sentences = topic.asked[language].learnt.filter((each) => strangeSlot.test(each));
    return shuffled(sentences, draw)
      .slice(0, count)
      .map((sentence) => ({
        ...{ language, reply: topic.answer, topic },
        question: this.#slots.fill(sentence, language, 'heldOut', draw),
      }));
  }

  /** How many phrasings there are. */
  count(topic: Topic, language: Language): number {
    return topic.asked[language].learnt.length + this.#inFrames(topic, language, 'learnt').length;
  }

  /** What refers to what was said: `more-en`, `again-ko`… */
  say(key: string, kind: Kind, draw: Draw): string {
    const phrasings = this.#chat.get(key);
    if (!phrasings) throw new Error(`There is no ${key} in data/chat.txt.`);
    return draw.of(phrasings[kind]);
  }

  reply(key: string): string {
    return this.#answers.get(key) ?? '';
  }

  name(language: Language, kind: Kind, draw: Draw): string {
    return this.#slots.word('name', language, kind, draw);
  }

  /** Somebody who says who they are, and is greeted by that name. */
  introduction(language: Language, kind: Kind, name: string, draw: Draw): Exchange {
    const reply = fill(this.reply(`name-${language}`), '{}', name);
    const question = fill(this.say(`name-${language}`, kind, draw), '{}', name);
    return { language, question, reply: { en: reply, ko: reply }, topic: null };
  }

  #inFrames(topic: Topic, language: Language, kind: Kind): string[] {
    const key = `${topic.id} ${language} ${kind}`;
    const known = this.#framed.get(key) ?? framed(topic, this.#frames, language, kind);
    this.#framed.set(key, known);
    return known;
  }
}
