import { Conversations, followUps } from './conversations.ts';
import { type Exchange, Material } from './material.ts';
import { Draw } from './random.ts';
import { type Language, languages, normalized } from './text.ts';
import { readQuestions } from './topics.ts';

/** A question in words that were never learnt, with what stands before it in its conversation. */
export interface HeldOutQuestion {
  language: Language;
  /** What it shows: an area of topics, `unknown`, or something about the conversation. */
  kind: 'talk' | 'puna' | 'learning' | 'unknown' | 'follow-up' | 'name' | 'stranger' | 'fresh';
  topic: string;
  /** Turns of person and model, the last one the question. */
  turns: string[];
  answer: string;
}

const seed = 7;

/** All phrasings that are held out, always the same. */
export function heldOutQuestions(material = new Material()): HeldOutQuestion[] {
  const draw = new Draw(seed);
  const questions = material.topics.flatMap((topic) =>
    languages.flatMap((language) => {
      const own = material.all(topic, language, 'heldOut', draw);
      // Names in frames are many: as many of them as there are frames.
      const kept = own.filter(() => own.length <= mostOfTopic || draw.chance(mostOfTopic / own.length));
      return kept.map(({ question }) => ({
        ...{ language, kind: topic.area, topic: topic.id, turns: [question], answer: topic.answer[language] },
      }));
    }),
  );
  return [
    ...questions,
    ...strangeQuestions(material, draw),
    ...followUpQuestions(material, draw),
    ...nameQuestions(material, draw),
    ...onlyAsked('strangers', material),
  ];
}

/** As many questions of a topic in one language, about. */
const mostOfTopic = 8;
/** Questions about strange things, of each topic in one language. */
const strangeOfTopic = 8;
/** Questions of each kind of follow-up. */
const followUpsOfKind = 12;

/** Sentences that were learnt, about things that were not. */
function strangeQuestions(material: Material, draw: Draw): HeldOutQuestion[] {
  const unknown = material.topics.filter(({ area }) => area === 'unknown');
  return unknown.flatMap((topic) =>
    languages.flatMap((language) =>
      material.strange(topic, language, strangeOfTopic, draw).map(({ question }) => ({
        ...{ language, kind: topic.area, topic: topic.id, turns: [question], answer: topic.answer[language] },
      })),
    ),
  );
}

function followUpQuestions(material: Material, draw: Draw): HeldOutQuestion[] {
  const conversations = new Conversations(material);
  const known = material.topics.filter(({ area }) => area === 'puna' || area === 'learning');
  return languages.flatMap((language) =>
    followUps[language].flatMap((key) =>
      Array.from({ length: followUpsOfKind }, (): HeldOutQuestion => {
        const first: Exchange = material.ask(draw.of(known), language, 'learnt', draw);
        const { reply } = conversations.answered(key, first);
        return {
          ...{ language, kind: 'follow-up', topic: first.topic?.id ?? '' },
          turns: [first.question, first.reply[language], material.say(key, 'heldOut', draw)],
          answer: reply[language],
        };
      }),
    ),
  );
}

function nameQuestions(material: Material, draw: Draw): HeldOutQuestion[] {
  return languages.flatMap((language) =>
    Array.from({ length: followUpsOfKind }, (): HeldOutQuestion => {
      const name = material.name(language, 'heldOut', draw);
      const { question, reply } = material.introduction(language, 'heldOut', name, draw);
      const asked = material.say(`myname-${language}`, 'heldOut', draw);
      return {
        ...{ language, kind: 'name', topic: 'name', turns: [question, reply[language], asked] },
        answer: material.reply(`myname-${language}`),
      };
    }),
  );
}

/**
 * Questions of somebody who had seen nothing of what the model learns from but titles and answers. The others have been looked at: where they
 * were answered wrong, such questions were added in other words. So these tell best what a stranger will find.
 */
export function freshQuestions(material = new Material()): HeldOutQuestion[] {
  return onlyAsked('fresh', material);
}

function onlyAsked(name: 'strangers' | 'fresh', material: Material): HeldOutQuestion[] {
  const kind = name === 'fresh' ? 'fresh' : 'stranger';
  return readQuestions(name, material.topics).map(({ topic, question }) => {
    const language = /[가-힣]/.test(question) ? 'ko' : 'en';
    return { language, kind, topic: topic.id, turns: [question], answer: topic.answer[language] };
  });
}

/** What no text to learn from may ask: the questions of a conversation's end, and every phrasing without slots. */
export function heldOutTexts(material: Material): Set<string> {
  const asked = [...heldOutQuestions(material), ...freshQuestions(material)];
  const texts = new Set(asked.map(({ turns }) => normalized(turns.at(-1) ?? '')));
  const draw = new Draw(seed);
  for (const topic of material.topics) {
    for (const language of languages) {
      for (const { question } of material.all(topic, language, 'heldOut', draw))
        texts.add(normalized(question));
    }
  }
  return texts;
}
