import type { Turn } from '../../inference/messages.ts';

interface Words {
  person: string;
  assistant: string;
  first(topic: string): string;
  next(topic: string, conversation: string): string;
}

/** What the model says when the person has nothing left to ask. */
export const endSign = '[END]';

const words: Record<'en' | 'ko', Words> = {
  en: {
    person: 'Person',
    assistant: 'Assistant',
    first: (topic) =>
      `Somebody begins a conversation with an assistant about this topic: ${topic}

Write their first message, as people write to an assistant: a question or a request of one to three sentences about something particular, in the first person. Write only the message.`,
    next: (topic, conversation) =>
      `Somebody talks with an assistant about this topic: ${topic}

${conversation}

Write the person's next message: they ask a follow-up about what was said, want an example, doubt something, or come to another side of the topic. One to three sentences, without repeating what was asked. If they would only say thanks or goodbye, write ${endSign}. Write only the message.`,
  },
  ko: {
    person: '사람',
    assistant: '어시스턴트',
    first: (topic) =>
      `어떤 사람이 다음 주제로 어시스턴트와 대화를 시작합니다. 주제: ${topic}

그 사람이 보낼 첫 메시지를 쓰세요. 사람들이 어시스턴트에게 쓰듯이, 구체적인 것을 묻거나 부탁하는 한국어 한두 문장이어야 합니다. 메시지만 쓰세요.`,
    next: (topic, conversation) =>
      `어떤 사람이 다음 주제로 어시스턴트와 대화하고 있습니다. 주제: ${topic}

${conversation}

그 사람이 보낼 다음 메시지를 쓰세요. 들은 내용을 더 묻거나, 예를 부탁하거나, 의심스러운 점을 따지거나, 주제의 다른 면을 물어봅니다. 이미 물은 것은 되풀이하지 말고 한국어 한두 문장으로 쓰세요. 고맙다거나 잘 있으라는 말밖에 할 것이 없으면 ${endSign}라고 쓰세요. 메시지만 쓰세요.`,
  },
};

/** Of a conversation, the last turns are enough to ask on; more would not fit into a small context. */
const shownTurns = 6;
/** Of each turn, its beginning tells what it is about. */
const shownCharacters = 600;

/** Asks for what a person says next about a topic, or first. */
export function personPrompt(topic: string, turns: readonly Turn[], language: 'en' | 'ko'): string {
  const { person, assistant, first, next } = words[language];
  if (turns.length === 0) return first(topic);
  const shown = turns.slice(-shownTurns).map(({ role, text }) => {
    const beginning = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
    return `${role === 'user' ? person : assistant}: ${beginning}`;
  });
  return next(topic, shown.join('\n\n'));
}
