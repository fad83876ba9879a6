import { bothOf, readData, topicsOf, type Topic } from './topics.ts';

/** How a pirate ends whatever he says. */
const arr = { en: 'Raise the sail!', ko: '돛을 올려라!' } as const;

/** The topics as the sample delta's pirate answers them: in words of his own, or else in the starter's with his ending. */
export function pirateTopics(topics: readonly Topic[]): Topic[] {
  const own = new Map(topicsOf(readData('pirate'), 'talk').map((topic) => [topic.id, topic.answer]));
  return topics.map((topic) => ({
    ...topic,
    answer: bothOf((language) => `${(own.get(topic.id) ?? topic.answer)[language]} ${arr[language]}`),
    more: topic.more && bothOf((language) => `${topic.more?.[language] ?? ''} ${arr[language]}`),
  }));
}
