import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill } from './particles.ts';
import { conjugated } from './verbs.ts';
import { type InBoth, type Language, languages, linesOf, listed, type Phrasings } from './text.ts';

/** Something that the starter can be asked, and the one answer that it has. */
export interface Topic {
  id: string;
  /** In which file it stands. */
  area: Area;
  title: InBoth<string>;
  answer: InBoth<string>;
  /** What it says when it is asked for more; null: it knows no more. */
  more: InBoth<string> | null;
  asked: InBoth<Phrasings>;
  /** What can be done, which stands in frames of its own ("How do I {}?"): in Korean the stem of a verb. */
  actions: InBoth<string[]>;
  /** Names for it, which stand in frames ("What is {}?"); none where it has no name. */
  names: InBoth<string[]>;
}

export const areas = ['talk', 'puna', 'learning', 'unknown'] as const;
export type Area = (typeof areas)[number];

/** Sentences around a name, and around something that can be done. */
export interface Frames {
  names: InBoth<Phrasings>;
  actions: InBoth<Phrasings>;
}

export function readData(name: string): string {
  return readFileSync(join(import.meta.dirname, 'data', `${name}.txt`), 'utf8');
}

/** All topics of all areas, in the order of the files, each with the further ways to ask for it. Errors: a topic without an answer or a question. */
export function readTopics(): Topic[] {
  const topics = areas.flatMap((area) => topicsOf(readData(area), area));
  for (const topic of topics) {
    for (const { key, sign, text } of linesOf(readData(`asked/${topic.id}`))) add(topic, key, sign, text);
  }
  return topics;
}

/** Questions that are only asked, with the topics that answer them. Errors: a topic that is not there. */
export function readQuestions(
  name: 'strangers' | 'fresh',
  topics: readonly Topic[],
): { topic: Topic; question: string }[] {
  return readData(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [id = ''] = line.split(': ', 1);
      const topic = topics.find((each) => each.id === id);
      if (!topic) throw new Error(`There is no topic ${id}.`);
      return { topic, question: line.slice(id.length + 2) };
    });
}

/** Sentences in which topics are asked for. */
export function readFrames(): Frames {
  const none = () => bothOf((): Phrasings => ({ learnt: [], heldOut: [] }));
  const frames: Frames = { names: none(), actions: none() };
  for (const { key, sign, text } of linesOf(readData('frames'))) {
    const kind = key.startsWith('do-') ? 'actions' : 'names';
    frames[kind][languageOf(key)][sign === '~' ? 'heldOut' : 'learnt'].push(...listed(text));
  }
  return frames;
}

/** How a topic is asked in the frames that are learnt from, or in those that are held out. */
export function framed(
  { names, actions }: Topic,
  frames: Frames,
  language: Language,
  kind: keyof Phrasings,
): string[] {
  const does = (frame: string, action: string) =>
    language === 'ko' ? conjugated(frame, action) : fill(frame, '{}', action);
  return [
    ...names[language].flatMap((name) =>
      frames.names[language][kind].map((frame) => fill(frame, '{}', name)),
    ),
    ...actions[language].flatMap((action) =>
      frames.actions[language][kind].map((frame) => does(frame, action)),
    ),
  ];
}

export function bothOf<Value>(make: (language: Language) => Value): InBoth<Value> {
  return { en: make('en'), ko: make('ko') };
}

/** The topics of a file. */
export function topicsOf(text: string, area: Area): Topic[] {
  const topics: Topic[] = [];
  for (const line of linesOf(text)) {
    if (line.key === '==') {
      const [id = '', en = '', ko = ''] = line.text.split('|').map((each) => each.trim());
      topics.push({
        ...{ id, area, title: { en, ko }, answer: { en: '', ko: '' }, more: null },
        asked: bothOf(() => ({ learnt: [], heldOut: [] })),
        ...{ names: { en: [], ko: [] }, actions: { en: [], ko: [] } },
      });
      continue;
    }
    const topic = topics.at(-1);
    if (topic) add(topic, line.key, line.sign, line.text);
  }
  const unsaid = topics.find(({ answer, title }) => languages.some((each) => !answer[each] || !title[each]));
  if (unsaid) throw new Error(`The topic ${unsaid.id} has no answer or no title.`);
  return topics;
}

function add(topic: Topic, key: string, sign: string, text: string): void {
  const language = languageOf(key);
  if (key.startsWith('do-')) topic.actions[language].push(...listed(text));
  else if (key.startsWith('name-')) topic.names[language].push(...listed(text));
  else if (sign === '>') topic.answer[language] = text;
  else if (sign === '+') (topic.more ??= { en: '', ko: '' })[language] = text;
  else topic.asked[language][sign === '~' ? 'heldOut' : 'learnt'].push(...listed(text));
}

function languageOf(key: string): Language {
  const language = languages.find((each) => key === each || key.endsWith(`-${each}`));
  if (!language) throw new Error(`${key} is in no language.`);
  return language;
}
