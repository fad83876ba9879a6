import type { Draw } from './random.ts';
import type { Language } from './text.ts';

/** Words that stand for each other in what people ask. A row may be used wherever one of its words occurs. */
const groups: Record<Language, readonly (readonly string[])[]> = {
  en: [
    ['model', 'LLM', 'AI model', 'language model', 'AI'],
    ['models', 'LLMs', 'AI models', 'AIs'],
    ['computer', 'PC', 'laptop', 'machine', 'system', 'notebook', 'Mac'],
    ['program', 'app', 'application', 'tool', 'software', 'thing'],
    ['Puna', 'this app', 'this program', 'it', 'puna', 'this thing', 'the app', 'this'],
    ['chats', 'conversations', 'messages', 'dialogues', 'texts'],
    ['chat', 'conversation', 'dialogue', 'thread'],
    ['message', 'text', 'what I wrote', 'what I sent', 'prompt'],
    ['teach', 'train', 'fine-tune', 'finetune'],
    ['teaching', 'training', 'fine-tuning', 'learning'],
    ['delete', 'remove', 'erase', 'get rid of', 'throw away'],
    ['find', 'look for', 'locate', 'search for'],
    ['download', 'get', 'install', 'fetch', 'pull'],
    ['saved', 'stored', 'kept', 'put'],
    ['change', 'switch', 'set', 'adjust'],
    ['make', 'create', 'build', 'produce'],
    ['share', 'send', 'publish', 'give away', 'pass on'],
    ['apply', 'use', 'load', 'add'],
    ['merge', 'combine', 'mix', 'blend', 'join'],
    ['smaller', 'lighter', 'more compact', 'less big'],
    ['bigger', 'larger', 'smarter', 'better', 'stronger'],
    ['fast', 'quick'],
    ['slow', 'sluggish', 'laggy'],
    ['faster', 'quicker', 'speedier'],
    ['answers', 'replies', 'responses', 'outputs'],
    ['answer', 'reply', 'response', 'output'],
    ['free', 'free of charge', 'gratis'],
    ['cost', 'price', 'charge'],
    ['pay', 'spend money', 'buy something'],
    ['internet', 'network', 'web', 'wifi', 'net'],
    ['private', 'confidential', 'secret', 'safe'],
    ['data', 'information', 'stuff', 'files'],
    ['work', 'run', 'function'],
    ['need', 'require', 'have to have'],
    ['language', 'lang'],
    ['good', 'fine', 'okay', 'decent'],
    ['choose', 'pick', 'select', 'take'],
    ['recommend', 'suggest', 'advise'],
    ['show', 'tell', 'give'],
    ['works', 'functions', 'operates'],
    ['examples', 'samples', 'data points'],
    ['graphics card', 'GPU', 'video card'],
    ['memory', 'RAM'],
    ['what is', 'what exactly is', 'what on earth is', 'what the heck is'],
    ['how do I', 'how can I', 'how would I', 'how does one', 'how to', 'what do I do to', 'how could I'],
    ['can I', 'may I', 'could I', 'am I able to', 'is it possible to', 'is there a way to'],
    ['I want to', "I'd like to", 'I need to', 'I wanna', 'I am trying to', 'I would love to'],
    ['explain', 'describe', 'clarify', 'tell me about'],
    ['why', 'why exactly', 'how come'],
    ['large', 'big', 'huge'],
    ['beginners', 'newbies', 'starters'],
    ['settings', 'options', 'preferences', 'configuration'],
    ['page', 'tab', 'screen', 'section'],
    ['weights', 'parameters'],
    ['server', 'remote server', 'host'],
    ['terminal', 'console', 'shell', 'command line'],
    ['picture', 'image', 'photo'],
    ['file', 'document'],
  ],
  ko: [
    ['모델', 'LLM', 'AI 모델', '언어 모델', 'AI', '인공지능'],
    ['컴퓨터', 'PC', '노트북', '맥북', '피시', '컴'],
    ['프로그램', '앱', '툴', '소프트웨어', '어플'],
    ['Puna', '푸나', '이 앱', '이 프로그램', '여기', '이거', 'puna'],
    ['대화', '채팅', '대화 내용', '챗'],
    ['메시지', '글', '말', '보낸 것'],
    ['가르치', '학습시키', '훈련시키', '파인튜닝하'],
    ['가르쳐', '학습시켜', '훈련시켜'],
    ['학습', '훈련', '파인튜닝', '트레이닝'],
    ['지우', '삭제하', '없애', '날리'],
    ['찾', '검색하', '알아보'],
    ['내려받', '다운받', '다운로드하', '설치하', '받'],
    ['저장돼', '보관돼', '남아'],
    ['바꾸', '변경하', '수정하', '설정하'],
    ['만들', '생성하', '제작하'],
    ['공유하', '나누', '배포하', '보내'],
    ['적용하', '사용하', '쓰', '불러오'],
    ['합치', '병합하', '섞', '결합하', '머지하'],
    ['작게', '가볍게', '조그맣게'],
    ['더 좋은', '더 똑똑한', '더 큰', '더 나은', '쓸 만한'],
    ['빠르게', '빨리', '신속하게'],
    ['느려', '버벅거려', '답답해', '오래 걸려'],
    ['답', '답변', '대답', '응답'],
    ['무료', '공짜'],
    ['가격', '비용', '요금', '돈'],
    ['인터넷', '네트워크', '와이파이', '온라인'],
    ['개인 정보', '개인정보', '프라이버시', '사생활', '내 정보'],
    ['데이터', '자료', '정보', '파일'],
    ['필요해', '있어야 해', '요구돼'],
    ['좋은', '괜찮은', '쓸 만한', '알맞은'],
    ['고르', '선택하', '정하'],
    ['추천해', '권해', '골라'],
    ['예시', '샘플', '예제'],
    ['그래픽 카드', '그래픽카드', 'GPU', '글카', '지피유'],
    ['메모리', '램', 'RAM'],
    ['어떻게', '어떡해', '어찌', '어떤 식으로'],
    ['뭐예요', '뭔가요', '뭐야', '뭐임', '뭔데', '뭐죠', '뭐냐', '뭔지 알려 줘', '뭐에요', '뭔데요'],
    ['알려 주세요', '알려 줘', '알려줘', '말해 줘', '가르쳐 줘', '설명 좀', '알고 싶어', '궁금해'],
    ['설명해 주세요', '설명해 줘', '설명 좀', '쉽게 말해 줘', '알려 줘'],
    ['뭘', '무엇을', '무얼', '뭐를', '뭐'],
    ['할 수 있어요', '가능해요', '할 수 있나', '되나', '할 수 있음', '할 수 있을까'],
    ['수 있어요', '수 있나', '수 있음', '수 있을까요', '수 있는지'],
    ['싶어요', '싶어', '싶은데', '싶다', '싶습니다만', '싶네'],
    ['어디', '어느 곳', '어느 쪽'],
    ['왜', '어째서', '뭐 때문에'],
    ['설정', '옵션', '환경설정'],
    ['페이지', '탭', '화면', '메뉴'],
    ['가중치', '파라미터'],
    ['서버', '원격 서버'],
    ['터미널', '콘솔', '명령줄', '명령 프롬프트'],
    ['사진', '그림', '이미지'],
    ['파일', '문서'],
    ['내', '나의', '제', '우리'],
    ['얼마나', '어느 정도', '얼마'],
  ],
};

interface Row {
  pattern: RegExp;
  words: readonly string[];
}
const rows: Record<Language, readonly Row[]> = {
  en: groups.en.map((words) => ({ words, pattern: new RegExp(`\\b(${alternatives(words)})\\b`, 'i') })),
  // Korean words have their endings behind them.
  ko: groups.ko.map((words) => ({ words, pattern: new RegExp(`(?<![가-힣])(${alternatives(words)})`) })),
};

function alternatives(words: readonly string[]): string {
  return words
    .toSorted((one, other) => other.length - one.length)
    .map((word) => RegExp.escape(word) + (/^[가-힣]$/.test(word) ? '(?=[은는이가을를도에의로만 ?.!]|$)' : ''))
    .join('|');
}

/** The same sentence with at most so many words replaced by others that mean about the same. */
export function inOtherWords(text: string, language: Language, most: number, draw: Draw): string {
  const able = rows[language].filter(({ pattern }) => pattern.test(text));
  let result = text;
  for (let count = 0; count < most && able.length > 0; count++) {
    const { pattern, words } = draw.of(able);
    result = result.replace(pattern, draw.of(words));
  }
  return result;
}
