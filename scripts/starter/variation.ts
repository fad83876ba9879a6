import type { Draw } from './random.ts';
import { inOtherWords } from './synonyms.ts';
import type { Language } from './text.ts';

/** The same question as people write it: without capitals or question marks, in haste, politely or plainly. */
export function varied(question: string, language: Language, draw: Draw): string {
  return language === 'en' ? variedEnglish(question, draw) : variedKorean(question, draw);
}

/** Sentences of at least so many words may have something before or behind them. */
const longEnough = 3;

const before = {
  en: split(
    "Hi, ;Hello, ;Hey, ;Please, ;So, ;OK, ;Ok. ;Well, ;Sorry, ;Excuse me, ;Question: ;One question: ;And ;But ;Puna, ;Now ;Hi! ;Hmm, ;tell me, ;I wonder, ;just curious: ;quick question, ;I'm new here, ;I just installed this, ;my friend asked me, ;for my work: ;honestly, ;actually, ;by the way, ;I have a question. ;hi there, ;yo, ;alright, ;ok so ;can you tell me, ;do you know, ;I'd like to know, ;I am not sure, ;I don't get it, ;seriously, ;first of all, ;maybe a stupid question, ;dumb question: ;I was told to ask: ;let me ask you this: ;before I start, ;one more thing: ;and also, ;oh and ;ah, ;um, ;uh, ;hello again, ;good morning, ;hey puna, ;hi starter, ;wait, ;look, ;I read about this. ;in this app, ;here in Puna, ;with Puna, ",
  ),
  ko: split(
    '저기, ;안녕하세요, ;음, ;그럼 ;근데 ;혹시 ;아, ;저, ;질문이요. ;푸나야, ;그런데 ;잠깐, ;궁금한데 ;하나만요. ;네, ;저기요 ;처음인데 ;방금 설치했는데 ;친구가 물어봐서 ;솔직히 ;그러면 ;아 그리고 ;한 가지 더, ;바보 같은 질문인데 ;잘 모르겠는데 ;물어볼 게 있는데 ;질문 있어요. ;그니까 ;아니 ;야 ;있잖아 ;혹시 말인데 ;시작하기 전에 ;여기서 ;푸나에서 ;이 앱에서 ;일단 ;먼저 ;진짜 궁금한데 ;저 초보인데 ;ㅎㅎ ;안녕 ;제가 ;나 ',
  ),
} as const satisfies Record<Language, string[]>;
const behind = {
  en: split(
    " please;, please; Thanks!; I am new here.; thx; :); I want to know.; if I may ask; in Puna; here; exactly; again; actually; then; for me; right now; today; on my computer; in this app; lol; haha; man; bro; ??; and why; in simple words; as a beginner; or not; or what; I forgot; I can't find it; help; quickly; or is there something else; can you tell me",
  ),
  ko: split(
    ' 궁금해요; 부탁해요; ㅎㅎ; 처음이라서요; 몰라서요;~;ㅠㅠ;ㅋㅋ; 알려 줘; 알려 주세요; 푸나에서; 여기서; 이 앱에서; 쉽게; 좀; 지금; 다시; 정확히; 못 찾겠어요; 도와주세요; 까먹었어; 빨리; 제발; 초보라서',
  ),
} as const satisfies Record<Language, string[]>;

function split(texts: string): string[] {
  return texts.split(';');
}

const shortForms: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\b(what|where|who|how) is\b/i, ["$1's", '$1s', '$1 is']],
  [/\bI am\b/, ["I'm", 'im']],
  [/\bdo not\b/i, ["don't", 'dont']],
  [/\bdon't\b/i, ['dont', 'do not']],
  [/\bcannot\b/i, ["can't", 'can not', 'cant']],
  [/\bare you\b/i, ['r u', 'are u']],
  [/\byou\b/i, ['u', 'you']],
  [/\bcolour\b/, ['color']],
  [/\bfavourite\b/, ['favorite']],
  [/\bplease\b/i, ['pls', 'plz']],
  [/\bcan I\b/, ['may I', 'could I']],
  [/\bHow do I\b/, ['How can I', 'How to', 'how would I', 'how do you']],
  [/\bCan you\b/, ['Could you', 'Would you', 'will you']],
];

function variedEnglish(question: string, draw: Draw): string {
  let text = question;
  const [pattern, forms] = draw.of(shortForms);
  if (draw.chance(0.6)) text = text.replace(pattern, draw.of(forms));
  if (draw.chance(0.25)) text = inOtherWords(text, 'en', 1, draw);
  if (draw.chance(0.05)) text = withoutOneWord(text, draw);
  text = around(text, 'en', draw);
  if (draw.chance(0.06)) text = mistyped(text, draw);
  if (draw.chance(0.4)) text = text.toLowerCase();
  else if (draw.chance(0.03)) text = text.toUpperCase();
  return punctuated(text, draw);
}

/** Ends of Korean sentences, and others that ask the same. The first that matches counts. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/뭐예요\?$/, '뭐에요?|뭔가요?|뭐야?|뭐죠?|뭐지?|뭡니까?|무엇인가요?|무엇입니까?|뭐니?|뭐냐?|뭘까요?'],
  [/(어디|누구|얼마|언제)예요\?$/, '$1에요?|$1야?|$1인가요?|$1죠?|$1지?|$1입니까?'],
  [/이에요\?$/, '이야?|인가요?|입니까?|이죠?'],
  [/예요\?$/, '야?|인가요?|에요?|죠?'],
  [/있어요\?$/, '있나요?|있어?|있습니까?|있니?|있죠?|있을까요?'],
  [/되나요\?$|돼요\?$/, '되나요?|돼?|됩니까?|되요?|되죠?|될까요?|되니?'],
  [/필요해요\?$/, '필요한가요?|필요해?|필요합니까?|필요하죠?'],
  [/해요\?$/, '하나요?|해?|합니까?|하죠?|하니?|할까요?|하지?'],
  [
    /(알려|설명해|말해|가르쳐) 주세요$/,
    '$1줘|$1 줘|$1주세요|$1 주실래요?|$1 줄래?|$1줄래요?|$1주라|$1 주시겠어요?|$1 주십시오',
  ],
  [/주세요$/, '줘|주실래요?|줄래?|주라|줄래요?|주십시오'],
  [/줘$/, '주세요|줄래?|줄래요?|주라'],
  [/싶어요$/, '싶어|싶습니다|싶은데요|싶은데|싶네요|싶다'],
  [/(좋|많|같)아요\?$/, '$1나요?|$1아?|$1습니까?|$1을까요?|$1죠?'],
  [/써요\?$/, '쓰나요?|써?|씁니까?|쓰죠?|쓸까요?'],
  [/골라요\?$/, '고르나요?|골라?|고르죠?|고를까요?'],
  [/걸려요\?$/, '걸리나요?|걸려?|걸립니까?|걸릴까요?'],
  [/커요\?$/, '큰가요?|커?|크죠?|큽니까?'],
  [/달라요\?$/, '다른가요?|달라?|다르죠?|다릅니까?'],
  [/어때요\?$/, '어때?|어떤가요?|어떻습니까?'],
  [/가르쳐요\?$/, '가르치나요?|가르쳐?|가르치죠?|가르칠까요?'],
  [/([어아여워와려])요\?$/, '$1?'],
  [/까요\?$/, '까?'],
  [/나요\?$/, '니?|나?'],
  [/해요$/, '해|합니다|해용'],
  [/요$/, '요.|요~|용'],
];

function variedKorean(question: string, draw: Draw): string {
  let text = question;
  if (draw.chance(0.55)) {
    const ending = endings.find(([pattern]) => pattern.test(text));
    if (ending) text = text.replace(ending[0], draw.of(ending[1].split('|')));
  }
  if (draw.chance(0.25)) text = inOtherWords(text, 'ko', 1, draw);
  if (draw.chance(0.25)) text = withoutParticles(text, draw);
  if (draw.chance(0.04)) text = withoutOneWord(text, draw);
  text = around(text, 'ko', draw);
  // Where Korean is spaced is hard, and seldom minded in a chat.
  if (draw.chance(0.05)) text = text.replaceAll(' ', '');
  else if (draw.chance(0.15)) text = withoutOneSpace(text, draw);
  if (draw.chance(0.03)) text = mistyped(text, draw);
  if (draw.chance(0.25)) text = text.toLowerCase();
  return punctuated(text, draw);
}

function around(text: string, language: Language, draw: Draw): string {
  if (text.split(' ').length < longEnough) return text;
  if (draw.chance(0.16)) {
    const rest =
      language === 'en' && /^[A-Z][a-z']/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
    return draw.of(before[language]) + rest;
  }
  return draw.chance(0.09) ? text + draw.of(behind[language]) : text;
}

function punctuated(text: string, draw: Draw): string {
  if (/[?!.]$/.test(text)) {
    if (text.length > 3 && draw.chance(0.4)) return text.replace(/[?!.]+$/, '');
    return text.endsWith('?') && draw.chance(0.03) ? `${text}${draw.of(['?', '!', '??'])}` : text;
  }
  return draw.chance(0.12) ? text + draw.of(['.', '?', '!', '.', '...']) : text;
}

function withoutOneSpace(text: string, draw: Draw): string {
  const words = text.split(' ');
  if (words.length < 2) return text;
  const at = draw.below(words.length - 1);
  return words
    .map((word, index) => (index === at || index === words.length - 1 ? word : `${word} `))
    .join('');
}

/** One word too few, as in haste; enough are left to tell what is meant. */
function withoutOneWord(text: string, draw: Draw): string {
  const words = text.split(' ');
  if (words.length < 4) return text;
  const at = draw.below(words.length);
  return words.filter((_, index) => index !== at).join(' ');
}

/** Particles are often left out in a chat. */
function withoutParticles(text: string, draw: Draw): string {
  return text.replace(/(?<=[가-힣A-Za-z])(은|(?<![하있없르되쓰이])는|이|가|을|를)(?= )/g, (particle) =>
    draw.chance(0.6) ? '' : particle,
  );
}

/** One letter too few, too many, or two in the wrong order; never the first one. */
function mistyped(text: string, draw: Draw): string {
  const letters = [...text];
  if (letters.length < 5) return text;
  const at = 1 + draw.below(letters.length - 2);
  const [one = '', other = ''] = letters.slice(at, at + 2);
  const replacement = draw.of([other, one + one + other, other + one]);
  return [...letters.slice(0, at), replacement, ...letters.slice(at + 2)].join('');
}
