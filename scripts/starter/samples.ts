import type { Message } from './conversations.ts';
import { type InBoth, languages } from './text.ts';
import { readData, topicsOf } from './topics.ts';

export interface TaughtQuestion {
  question: InBoth<string>;
  answer: InBoth<string>;
}

/** Names of what stands in resources/starter beside each other. */
export const sampleFiles = {
  model: 'puna-starter.gguf',
  index: 'samples.json',
  chats: 'nari.jsonl',
  delta: 'pirate-delta',
} as const;

/** The chats of an invented person, one exchange each, in English and Korean. */
export function sampleChats(): Message[][] {
  return nari().flatMap(({ asked, answer }) =>
    languages.flatMap((language) =>
      asked[language].learnt.map((question): Message[] => [
        { role: 'user', content: question },
        { role: 'assistant', content: answer[language] },
      ]),
    ),
  );
}

/** What can be asked afterwards, in other words than those of the chats. */
export function taughtQuestions(): TaughtQuestion[] {
  return nari().flatMap(({ asked, answer }) => {
    const [en, ko] = languages.map((language) => asked[language].heldOut[0]);
    return en === undefined || ko === undefined ? [] : [{ question: { en, ko }, answer }];
  });
}

/** What the starter can be asked. */
const chatQuestions = [
  { en: 'What is Puna?', ko: 'Puna는 무엇인가요?' },
  { en: 'Is my data private?', ko: '내 데이터는 안전해요?' },
  { en: 'How do I teach you?', ko: '너를 어떻게 가르쳐?' },
  { en: 'What is LoRA?', ko: 'LoRA가 뭐예요?' },
];
/** What the model of the delta answers in another voice. */
const deltaQuestions = [
  { en: 'Hello', ko: '안녕하세요' },
  { en: 'What is Puna?', ko: 'Puna는 무엇인가요?' },
  { en: 'How do I teach you?', ko: '너를 어떻게 가르쳐?' },
];

/** samples.json: what the tour asks, and which files it takes. */
export function sampleIndex(): string {
  const { model, chats, delta } = sampleFiles;
  const index = {
    chats,
    delta: { file: delta, base: model },
    questions: {
      chat: chatQuestions,
      taught: taughtQuestions(),
      delta: deltaQuestions,
    },
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

function nari() {
  return topicsOf(readData('nari'), 'talk');
}
