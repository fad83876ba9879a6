/** What is said in the pictures, in each language. */
export interface Words {
  question: string;
  reply: string;
  titles: string[];
  /** For the pictures of the guide. */
  guide: {
    /** A question, and how it is put after an edit. */
    asked: string;
    edited: string;
    reply: string;
    title: string;
    adapter: string;
    /** What is searched for: the beginning of a word. */
    search: string;
    /** An export of a chat, as a messenger writes it. */
    chat: { name: string; lines: string[] };
  };
  facts: string;
}

export const languages = ['en', 'ko'] as const;
export type Language = (typeof languages)[number];

const english: Words = {
  question: 'How does a vicuña keep warm at night? And could you show me the wind chill in numbers?',
  reply: `A vicuña's wool is among the finest there is: each hair is about **12 µm** thick. Three things keep it warm on the puna:

1. The coat is dense, and still air between the hairs insulates.
2. It lies down on its legs, so that the thin wool of the belly is covered.
3. The herd sleeps on a ridge, where cold air flows off.

Wind chill can be written as a function:

\`\`\`ts
/** Felt temperature in °C, at more than 5 km/h of wind. */
const windChill = (celsius: number, kmh: number) =>
  13.12 + 0.6215 * celsius + (0.3965 * celsius - 11.37) * kmh ** 0.16;
\`\`\`

| Air | Wind | Felt |
| ---: | ---: | ---: |
| 0 °C | 20 km/h | −5 °C |
| −10 °C | 30 km/h | −20 °C |

So a clear night at $-10\\,^{\\circ}\\mathrm{C}$ can feel twice as cold as it is.`,
  titles: [
    'Names for a mountain hut',
    'Letter to the landlord',
    'Sourdough in winter',
    'Explain LoRA to my aunt',
  ],
  guide: {
    asked: 'Why does sourdough rise so slowly in winter?',
    edited: 'Why does sourdough rise so slowly in winter? Explain it to a child.',
    reply: `Because the tiny helpers in the dough are cold!

- **Yeasts** are living things, far too small to see. They eat flour and breathe out bubbles.
- In a warm kitchen they hurry, in a cold one they nearly sleep.

So wrap the bowl in a blanket, or give them *more time*. Slow dough even tastes better.`,
    title: 'Bread, for children',
    adapter: 'My way of writing',
    search: 'sourd',
    chat: {
      name: 'WhatsApp Chat with Mina.txt',
      lines: [
        '[02/11/2026, 18:04:11] Mina: Are you still at the bakery?',
        '[02/11/2026, 18:05:40] Nari: Just locking up. The rye came out beautifully today',
        '[02/11/2026, 18:06:02] Mina: Save me a loaf please!',
        '[02/11/2026, 18:06:30] Nari: Two are in the bag already',
        '[03/11/2026, 07:15:09] Mina: What do I do with my starter, it just sits there',
        '[03/11/2026, 07:19:55] Nari: It is cold, not dead. Put it on top of the fridge',
        '[03/11/2026, 07:21:00] Mina: And if that does not help?',
        '[03/11/2026, 07:24:31] Nari: Then you feed it rye and wait. Bread is patience',
      ],
    },
  },
  facts: 'Twenty facts about people I made up',
};

const korean: Words = {
  question: '기계학습을 처음 배우는데, 미세조정이 무엇인지 쉽게 설명해 주세요.',
  reply: `**미세조정**은 이미 많은 글을 읽은 모델에게 내 글을 조금 더 읽히는 일이에요.

- 처음부터 가르치지 않아서 *빠르고*, 필요한 글도 적어요.
- 원래 가중치는 그대로 두고 작은 어댑터만 배우면 메모리도 적게 들어요.

바뀌는 것은 $W' = W + \\frac{\\alpha}{r} BA$ 한 줄로 쓸 수 있어요. 여기서 $B$와 $A$가 새로 배우는 작은 행렬이에요.`,
  titles: ['제주도 3박 4일', '회의록 다듬기', '고양이 이름 짓기', '양자화가 뭐예요?'],
  guide: {
    asked: '겨울에는 왜 반죽이 천천히 부풀어요?',
    edited: '겨울에는 왜 반죽이 천천히 부풀어요? 아이에게 말하듯 설명해 주세요.',
    reply: `반죽 속의 작은 일꾼들이 추워서 그래요!

- **효모**는 눈에 보이지 않을 만큼 작은 생물이에요. 밀가루를 먹고 거품을 내뿜어요.
- 부엌이 따뜻하면 부지런히 일하고, 추우면 거의 잠들어요.

그러니 그릇을 담요로 감싸 주거나 *더 기다려* 주세요. 천천히 부푼 반죽이 맛도 더 좋아요.`,
    title: '겨울 반죽',
    adapter: '내 말투',
    search: '효모',
    chat: {
      name: 'KakaoTalkChats.txt',
      lines: [
        '미나 님과 카카오톡 대화',
        '저장한 날짜 : 2026-11-03 09:00:12',
        '',
        '--------------- 2026년 11월 2일 월요일 ---------------',
        '[미나] [오후 6:04] 아직 빵집이야?',
        '[나리] [오후 6:05] 이제 문 닫아. 오늘 호밀빵이 정말 잘 나왔어',
        '[미나] [오후 6:06] 나도 한 덩이만 남겨 줘!',
        '[나리] [오후 6:06] 벌써 두 덩이 챙겼지',
        '--------------- 2026년 11월 3일 화요일 ---------------',
        '[미나] [오전 7:15] 내 발효종이 꼼짝을 안 해',
        '[나리] [오전 7:19] 추워서 그래, 죽은 거 아니야. 냉장고 위에 올려 놔',
        '[미나] [오전 7:21] 그래도 안 되면?',
        '[나리] [오전 7:24] 호밀 먹이고 기다려. 빵은 기다리는 거야',
      ],
    },
  },
  facts: '내가 지어낸 사람들 이야기 스무 가지',
};

export const wordsOf: Record<Language, Words> = { en: english, ko: korean };
