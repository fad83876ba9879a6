import type { Exchange, Material } from './material.ts';
import { imagining } from './people.ts';
import type { Draw } from './random.ts';
import { type InBoth, type Language, languages } from './text.ts';
import type { Topic } from './topics.ts';
import { varied } from './variation.ts';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** As `src/main/inference/title.ts` asks for titles. */
const titleInstruction =
  'Give the conversation below a title of at most six words, in the language of the conversation. Answer with the title alone, without quotes.';

/** Asks for the topics of questions, not for answers. */
const namingInstruction = 'Topic?';

/** Shares of what is drawn. */
const shares = {
  title: 0.02,
  talk: 2,
  people: 0.03,
  naming: 0,
  name: 0.04,
  introduced: 0.4,
  otherLanguage: 0.1,
  system: 0.06,
  followUp: 0.5,
  unknown: 0.3,
};
/** How many exchanges conversations have, and how often. Long ones show the model places far from the beginning. */
const lengths = [
  { exchanges: 1, share: 0.58 },
  { exchanges: 2, share: 0.26 },
  { exchanges: 3, share: 0.1 },
  { exchanges: 5, share: 0.04 },
  { exchanges: 9, share: 0.02 },
] as const;

export interface ConversationOptions {
  /** The share in which only topics are named. */
  naming?: number;
  /** How many times as often as otherwise there is small talk. */
  talk?: number;
  /** The share in which invented people tell of themselves. */
  people?: number;
}

/** Draws conversations to learn from. */
export class Conversations {
  readonly #material: Material;
  readonly #unknown: Topic[];
  readonly #known: Topic[];
  readonly #naming: number;
  readonly #talk: number;
  readonly #people: number;

  constructor(
    material: Material,
    { naming = shares.naming, talk = shares.talk, people = shares.people }: ConversationOptions = {},
  ) {
    this.#material = material;
    this.#naming = naming;
    this.#talk = talk;
    this.#people = people;
    this.#unknown = material.topics.filter(({ area }) => area === 'unknown');
    this.#known = material.topics.filter(({ area }) => area !== 'unknown');
  }

  next(draw: Draw): Message[] {
    if (this.#people > 0 && draw.chance(this.#people)) return this.#imagined(draw);
    if (draw.chance(shares.title)) return this.#titled(draw);
    if (draw.chance(this.#naming)) return this.#topics(draw);
    const language = draw.of(languages);
    const { exchanges: count } = draw.weighted(lengths, ({ share }) => share);
    const messages: Message[] = draw.chance(shares.system)
      ? [{ role: 'system', content: this.#material.say('system', 'learnt', draw) }]
      : [];
    let last: Exchange | null = null;
    while (messages.filter(({ role }) => role === 'assistant').length < count) {
      let exchange: Exchange;
      if (last?.topic && draw.chance(shares.followUp)) exchange = this.#followUp(last, draw);
      else if (draw.chance(shares.name)) {
        exchange = draw.chance(shares.introduced)
          ? this.#introduced(language, draw)
          : this.#named(language, draw);
      } else exchange = this.#asked(this.#languageNear(language, draw), draw);
      messages.push(
        { role: 'user', content: this.#written(exchange, draw) },
        { role: 'assistant', content: exchange.reply[exchange.language] },
      );
      last = exchange;
    }
    return messages;
  }

  /** As people write it; a name stays as it is, so that it can be repeated. */
  #written({ question, language, topic }: Exchange, draw: Draw): string {
    return topic
      ? varied(question, language, draw)
      : question.replace(/[?.!]$/, (sign) => (draw.chance(0.5) ? '' : sign));
  }

  #languageNear(language: Language, draw: Draw): Language {
    return draw.chance(shares.otherLanguage) ? draw.of(languages) : language;
  }

  #asked(language: Language, draw: Draw): Exchange {
    const topic = draw.chance(shares.unknown)
      ? draw.weighted(this.#unknown, ({ id }) => (id === 'unknown' ? 4 : id === 'life' ? 2 : 1))
      : // A topic with many phrasings needs more of them, but not as many times more.
        draw.weighted(this.#known, (each) => {
          const times = each.area === 'talk' ? this.#talk : 1;
          return times * Math.sqrt(this.#material.count(each, language));
        });
    return this.#material.ask(topic, language, 'learnt', draw);
  }

  /** "Tell me more", "Say it in Korean". What was answered decides the answer. */
  #followUp({ language, reply, topic }: Exchange, draw: Draw): Exchange {
    const key = draw.of(followUps[language]);
    const question = this.#material.say(key, 'learnt', draw);
    return { question, ...this.answered(key, { language, reply, topic }) };
  }

  /** What is said to a follow-up of that kind. */
  answered(key: string, { language, reply, topic }: Omit<Exchange, 'question'>): Omit<Exchange, 'question'> {
    if (key.startsWith('more')) {
      const said = reply === topic?.more;
      const more = said ? null : topic?.more;
      return { language, reply: more ?? this.#nothingMore(), topic };
    }
    const target = key.endsWith('korean-en') || key === 'again-ko' ? 'ko' : 'en';
    const text = reply[target];
    // The reply is in that language, whatever the question was asked in.
    return {
      language,
      reply: { en: text, ko: text },
      topic: topic && { ...topic, more: null, answer: reply },
    };
  }

  #nothingMore(): InBoth<string> {
    return { en: this.#material.reply('nomore-en'), ko: this.#material.reply('nomore-ko') };
  }

  #introduced(language: Language, draw: Draw): Exchange {
    return this.#material.introduction(
      language,
      'learnt',
      this.#material.name(language, 'learnt', draw),
      draw,
    );
  }

  /** It keeps no names, whether it was told one or not, and says so. */
  #named(language: Language, draw: Draw): Exchange {
    const reply = this.#material.reply(`myname-${language}`);
    const question = varied(this.#material.say(`myname-${language}`, 'learnt', draw), language, draw);
    return { language, question, reply: { en: reply, ko: reply }, topic: null };
  }

  /** Somebody who tells of a life. */
  #imagined(draw: Draw): Message[] {
    const language = draw.of(languages);
    const messages: Message[] = [{ role: 'system', content: imagining[language] }];
    for (let count = 1 + draw.below(3); count > 0; count--) {
      const { question, answer } = this.#material.people.next(language, draw);
      messages.push(
        { role: 'user', content: varied(question, language, draw) },
        { role: 'assistant', content: answer },
      );
    }
    return messages;
  }

  /** Topics by their names only: as many questions are understood at a fifth of the length. */
  #topics(draw: Draw): Message[] {
    const messages: Message[] = [{ role: 'system', content: namingInstruction }];
    for (let count = 1 + draw.below(5); count > 0; count--) {
      const exchange = this.#asked(draw.of(languages), draw);
      messages.push(
        { role: 'user', content: this.#written(exchange, draw) },
        { role: 'assistant', content: exchange.topic?.title[exchange.language] ?? '' },
      );
    }
    return messages;
  }

  #titled(draw: Draw): Message[] {
    const exchange = this.#asked(draw.of(languages), draw);
    const { language, question, reply, topic } = exchange;
    return [
      { role: 'user', content: titleRequest(varied(question, language, draw), reply[language]) },
      { role: 'assistant', content: topic?.title[language] ?? '' },
    ];
  }
}

/** What can follow an answer. */
export const followUps = {
  en: ['more-en', 'again-en', 'tokorean-en'],
  ko: ['more-ko', 'again-ko', 'toenglish-ko'],
} as const satisfies Record<Language, string[]>;

export function titleRequest(question: string, reply: string): string {
  return `${titleInstruction}\n\nuser: ${question}\n\nassistant: ${reply}`;
}
