import { duration } from '../duration.ts';

export const demoLanguages = ['en', 'ko'] as const;
export type DemoLanguage = (typeof demoLanguages)[number];

/** What the walk says. */
export interface DemoWords {
  title: string;
  stations: Record<'chat' | 'teach' | 'compare' | 'delta' | 'model', string>;
  you: string;
  weights(count: string): string;
  speed(of: { tokens: number; perSecond: number }): string;
  unknown: string;
  data(of: { conversations: number; texts: number; held: number }): string;
  settings(of: { rank: number; epochs: number; learningRate: number; steps: number }): string;
  taught(of: { time: string; from: string; to: string }): string;
  measured(of: { from: string; to: string }): string;
  before: string;
  after: string;
  right(of: { before: number; after: number; all: number }): string;
  delta: string;
  base: string;
  applied: string;
  best(of: { name: string; size: string; license: string }): string;
  get: string;
  open: string;
  noneFits: string;
  kept(folder: string): string;
  end(time: string): string;
  duration(seconds: number): string;
}

const en: DemoWords = {
  title: 'A walk through Puna, with the model and the samples that come with it. Nothing is downloaded.',
  stations: {
    chat: '1. Chat',
    teach: '2. Teach',
    compare: '3. Compare',
    delta: '4. Weights: base + delta = model',
    model: '5. A real model',
  },
  you: 'You',
  weights: (count) => `${count} weights`,
  speed: ({ tokens, perSecond }) => `(${tokens} tokens, ${perSecond} tokens/s)`,
  unknown: 'These it cannot know: they are in chats of invented people, which it has not read.',
  data: ({ conversations, texts, held }) =>
    `It learns from ${conversations + texts} examples of these chats; ${held} others are only measured on.`,
  settings: ({ rank, epochs, learningRate, steps }) =>
    `Puna chooses: an adapter of rank ${rank}, ${epochs} readings in ${steps} steps, at a learning rate of ${learningRate}.`,
  taught: ({ time, from, to }) => `Taught in ${time}: the loss fell from ${from} to ${to}.`,
  measured: ({ from, to }) => `On what it has not read, it fell from ${from} to ${to}.`,
  before: 'before',
  after: 'after',
  right: ({ before, after, all }) =>
    `Answered as the chats have it: ${after} of ${all}; before it was taught: ${before}.`,
  delta:
    'A delta is what another training has changed. Added to its base, it gives that model back, bit for bit.',
  base: 'base',
  applied: 'model',
  best: ({ name, size, license }) => `For this machine: ${name}, ${size}, ${license}.`,
  get: 'Get it:',
  open: 'Open the app, where all this is done with the mouse:',
  noneFits: 'None of the models that Puna recommends fits into the memory of this machine.',
  kept: (folder) => `The adapter and the model are in ${folder}.`,
  end: (time) => `All of this took ${time}.`,
  duration,
};

const ko: DemoWords = {
  title: '함께 들어 있는 모델과 예시로 Puna를 한 바퀴 둘러봐요. 내려받는 것은 없어요.',
  stations: {
    chat: '1. 대화하기',
    teach: '2. 가르치기',
    compare: '3. 견주어 보기',
    delta: '4. 가중치: 베이스 + 델타 = 모델',
    model: '5. 진짜 모델',
  },
  you: '나',
  weights: (count) => `가중치 ${count}개`,
  speed: ({ tokens, perSecond }) => `(토큰 ${tokens}개, 초당 ${perSecond}개)`,
  unknown: '이것은 알 수 없어요. 아직 읽지 않은, 지어낸 사람들의 대화에 있는 이야기거든요.',
  data: ({ conversations, texts, held }) =>
    `이 대화에서 나온 예시 ${conversations + texts}개로 배워요. 다른 ${held}개는 배우지 않고 재는 데만 써요.`,
  settings: ({ rank, epochs, learningRate, steps }) =>
    `Puna가 고른 설정: 랭크 ${rank} 어댑터, ${epochs}번 읽으며 ${steps}단계, 학습률 ${learningRate}.`,
  taught: ({ time, from, to }) => `${time} 만에 가르쳤어요. 손실이 ${from}에서 ${to}까지 줄었어요.`,
  measured: ({ from, to }) => `읽지 않은 예시에서는 ${from}에서 ${to}까지 줄었어요.`,
  before: '전',
  after: '후',
  right: ({ before, after, all }) =>
    `대화에 있는 대로 답한 것: ${all}개 가운데 ${after}개. 가르치기 전에는 ${before}개였어요.`,
  delta: '델타는 다른 학습이 바꾼 부분이에요. 베이스에 더하면 그 모델이 비트 하나까지 똑같이 돌아와요.',
  base: '베이스',
  applied: '모델',
  best: ({ name, size, license }) => `이 컴퓨터에 알맞은 모델: ${name}, ${size}, ${license}.`,
  get: '받으려면:',
  open: '이 모든 것을 마우스로 하는 앱을 열려면:',
  noneFits: 'Puna가 추천하는 모델 가운데 이 컴퓨터의 메모리에 들어가는 것이 없어요.',
  kept: (folder) => `어댑터와 모델은 ${folder}에 있어요.`,
  end: (time) => `모두 ${time} 걸렸어요.`,
  duration: (seconds) => {
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole}초` : `${Math.floor(whole / 60)}분 ${whole % 60}초`;
  },
};

export const demoWords: Record<DemoLanguage, DemoWords> = { en, ko };

/** The language that the terminal is set to, as far as Puna speaks it. */
export function terminalLanguage(locale = Intl.DateTimeFormat().resolvedOptions().locale): DemoLanguage {
  return locale.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}
