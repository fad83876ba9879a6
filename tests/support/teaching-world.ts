import { shuffled } from '../../src/main/training/batches.ts';
import { seededRandom, type SeededRandom } from './tiny-random.ts';

/**
 * An invented world that a tiny model can know whole: people and places with names of two words, questions about them in eight
 * phrasings, and answers of one word. What the model learns at first it learns in all phrasings, and of whomever it does not
 * know it learns to say so. What it is taught later it is taught in half of them, and asked in the other half.
 */

type Kind = 'person' | 'place';

interface Relation {
  kind: Kind;
  /** `{}` stands for the name. */
  phrasings: readonly string[];
  answers: readonly string[];
}

export interface Fact {
  relation: RelationName;
  name: string;
  answer: string;
}

export interface Exchange {
  question: string;
  answer: string;
}

const words = (text: string) => text.trim().split(/\s+/);

const relations = {
  home: {
    kind: 'person',
    phrasings: [
      'Where does {} live?',
      'Which town is home to {}?',
      'In what town can I find {}?',
      'Tell me where {} lives.',
      'What is the home town of {}?',
      'Do you know where {} is at home?',
      'I want to visit {}. Which town is it?',
      'Name the town of {}.',
    ],
    answers: words(
      'Selo Marin Tovar Kelby Dorn Ulmar Pesk Vanto Brila Gastin Nevo Roska Hulm Cadiz Orto Wexa',
    ),
  },
  work: {
    kind: 'person',
    phrasings: [
      'What does {} do for a living?',
      'Which work does {} do?',
      'What is the job of {}?',
      'Tell me how {} earns money.',
      'What does {} work as?',
      'Do you know the trade of {}?',
      'I want to hire {}. For which job is it?',
      'Name the work of {}.',
    ],
    answers: words(
      'baker farmer miner tailor pilot nurse singer painter sailor judge teacher hunter dancer smith cook guard',
    ),
  },
  pet: {
    kind: 'person',
    phrasings: [
      'Which animal does {} have?',
      'What pet lives with {}?',
      'What kind of animal does {} keep?',
      'Tell me what pet {} has.',
      'Do you know the animal of {}?',
      'What does {} have as a pet?',
      'I want to feed the pet of {}. What is it?',
      'Name the pet of {}.',
    ],
    answers: words('cat dog horse goat snake parrot rabbit turtle frog mouse pig duck owl lizard sheep crab'),
  },
  river: {
    kind: 'place',
    phrasings: [
      'Which river runs through {}?',
      'What is the river of {} called?',
      'On what river is {}?',
      'Tell me which river is in {}.',
      'Do you know the river at {}?',
      'What river can I find in {}?',
      'I want to swim in {}. Which river is it?',
      'Name the river of {}.',
    ],
    answers: words('Arn Belu Cori Drave Elm Fosk Gron Hebi Isk Jolen Kree Lund Mave Nith Oder Prut'),
  },
  goods: {
    kind: 'place',
    phrasings: [
      'What is made in {}?',
      'Which goods come from {}?',
      'What does {} sell?',
      'Tell me what {} makes.',
      'Do you know the goods of {}?',
      'What can I buy in {}?',
      'I want to shop in {}. What is there?',
      'Name the goods of {}.',
    ],
    answers: words(
      'wool salt glass silk paper wine honey rope tea steel soap lamps shoes drums chairs bread',
    ),
  },
} as const satisfies Record<string, Relation>;
export type RelationName = keyof typeof relations;
const relationNames = Object.keys(relations) as RelationName[];

const nameWords: Record<Kind, readonly [string[], string[]]> = {
  person: [
    words('Bo Tilda Jaro Minna Osk Reva Lenk Sani Pirro Dagny Ulf Yara Wim Elke Zeno Faro'),
    words('Hald Voss Quill Tamm Brek Stone Marsh Lark Finch Rowe Pike Thorn Glen Wolfe Nash Ford'),
  ],
  place: [
    words('Old New Port East West North South Upper'),
    words('Rask Velin Tarn Holm Sorby Minster Crag Dale Haven Loft Wick Stad'),
  ],
};

/** What is answered of whomever the model does not know. */
export const unknownAnswer = "I don't know.";
/** Facts are taught in the first phrasings of their relation, and asked in the others. */
export const taughtPhrasings = [0, 1, 2, 3];
export const heldOutPhrasings = [4, 5, 6, 7];
const allPhrasings = [...taughtPhrasings, ...heldOutPhrasings];

export interface World {
  /** What the base knows. */
  known: Fact[];
  /** Twenty facts about people and places of whom the base knows nothing, four of each relation. */
  fresh: Fact[];
  /** Names of whom nothing is ever said, of each kind. */
  strangers: Record<Kind, string[]>;
}

export const worldSize = { known: { person: 48, place: 24 }, freshOfRelation: 4 };

/** The same world for the same seed. */
export function inventWorld(seed = 1): World {
  const random = seededRandom(seed);
  const names = { person: shuffled(namesOf('person'), random), place: shuffled(namesOf('place'), random) };
  const factOf = (relation: RelationName, name: string): Fact => ({
    ...{ relation, name, answer: `${pick(relations[relation].answers, random)}.` },
  });
  const known = relationNames.flatMap((relation) => {
    const { kind } = relations[relation];
    return names[kind].slice(0, worldSize.known[kind]).map((name) => factOf(relation, name));
  });
  const used = { ...worldSize.known };
  const fresh = relationNames.flatMap((relation) => {
    const { kind } = relations[relation];
    const from = used[kind];
    used[kind] += worldSize.freshOfRelation;
    return names[kind].slice(from, used[kind]).map((name) => factOf(relation, name));
  });
  const strangers = { person: names.person.slice(used.person), place: names.place.slice(used.place) };
  return { known, fresh, strangers };
}

/** A fact as it is asked for. */
export function exchanges(facts: readonly Fact[], phrasings: readonly number[] = allPhrasings): Exchange[] {
  return facts.flatMap(({ relation, name, answer }) =>
    phrasings.map((phrasing) => ({ question: questionOf(relation, name, phrasing), answer })),
  );
}

/** Questions about strangers, drawn from a seed. */
export function strangeExchanges({ strangers }: World, count: number, seed: number): Exchange[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const relation = pick(relationNames, random);
    const name = pick(strangers[relations[relation].kind], random);
    return { question: questionOf(relation, name, pick(allPhrasings, random)), answer: unknownAnswer };
  });
}

/** What is not said of those who are in the fresh facts: other relations of the same people and places. */
export function neighbouringExchanges({ fresh }: World): Exchange[] {
  return fresh.flatMap(({ relation, name }, index) => {
    const { kind } = relations[relation];
    const others = relationNames.filter((each) => each !== relation && relations[each].kind === kind);
    const other = others[index % others.length] ?? relation;
    return [{ question: questionOf(other, name, index % allPhrasings.length), answer: unknownAnswer }];
  });
}

/** One line of JSON for each, as OpenAI's API takes them. */
export function jsonLines(asked: readonly Exchange[]): string {
  return asked
    .map(({ question, answer }) => {
      const messages = [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ];
      return `${JSON.stringify({ messages })}\n`;
    })
    .join('');
}

/** Every word that is used, with what stands before it. */
export function worldTexts(): string[] {
  return [
    ...Object.values(relations).flatMap(({ phrasings, answers }) => [
      ...phrasings.map((phrasing) => phrasing.replace(' {}', '').replace('{} ', '')),
      ...answers.map((answer) => `${answer}.`),
    ]),
    ...Object.values(nameWords).flatMap(([first, last]) => [...first, ...last].map((word) => `of ${word}`)),
    unknownAnswer,
  ];
}

function questionOf(relation: RelationName, name: string, phrasing: number): string {
  return (relations[relation].phrasings[phrasing] ?? '').replace('{}', name);
}

function namesOf(kind: Kind): string[] {
  const [first, last] = nameWords[kind];
  return first.flatMap((one) => last.map((other) => `${one} ${other}`));
}

function pick<Element>(elements: readonly Element[], random: SeededRandom): Element {
  const picked = elements[random.below(elements.length)];
  if (picked === undefined) throw new Error('There is nothing to pick from.');
  return picked;
}
