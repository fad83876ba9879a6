import type { Passage } from './passages.ts';

const hangul = /\p{Script=Hangul}/gu;
const letters = /\p{L}/gu;
/** Korean texts have English names and terms in them. */
const leastHangul = 0.3;

/** The language in which a passage is asked about: Korean, or that of the passage by English words. */
export function isKorean(text: string): boolean {
  const all = text.match(letters)?.length ?? 0;
  return (text.match(hangul)?.length ?? 0) > all * leastHangul;
}

/** Asks for so many questions about a passage, with answers. */
export function pairsPrompt({ headings, text }: Passage, count: number): string {
  const title = headings.length > 0 ? `${headings.join(' › ')}\n\n` : '';
  const passage = `"""\n${title}${text}\n"""`;
  if (isKorean(text)) {
    return `${passage}

위 내용에 대해 질문 ${count}개와 답을 쓰세요.
- 답은 위 내용에 적혀 있는 것만으로, 완전한 문장으로 자세히 쓰세요.
- 질문은 이 글을 보지 않은 사람도 알아들을 수 있게, 무엇에 대한 것인지 이름을 넣어 쓰세요. "이 글", "위 내용" 같은 말은 쓰지 마세요.
- 질문마다 다른 것을 물어보세요.

다음 형식을 지키세요.
질문: …
답: …`;
  }
  return `${passage}

Write ${count} ${count === 1 ? 'question' : 'questions'} about this, with answers, in the language in which it is written.
- Answer with what is written there alone, in whole sentences.
- Whoever reads a question has not seen the text: name what it is about, and do not write "the text" or "the passage".
- Each question asks for something else.

Keep this form:
Q: …
A: …`;
}
