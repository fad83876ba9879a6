import { withoutCutEnd } from './endings.ts';
import { type Found, type Label, recordsIn } from './records.ts';

export interface Pair {
  question: string;
  answer: string;
}

type Part = keyof Pair;

const labels: [Label<Part>, Label<Part>] = [
  { key: 'question', words: ['question', 'q', '질문', '문제', '문'], loose: true },
  { key: 'answer', words: ['answer', 'a', '답변', '정답', '대답', '응답', '답'], loose: true },
];

const numbered = /^[\s*_]*(?:\(?\d{1,2}\s*[.):])[\s*_]*(.*?)[\s*_]*$/;
const dashed = /^\s*(?:[-–—>→]+|[*•])\s+/;

/** Pairs in a reply, without the last one where that was cut off. */
export function pairsIn(reply: string): Pair[] {
  const records = recordsIn(reply, labels);
  const found = records.some(({ answer }) => answer) ? records : listedIn(reply);
  const pairs = found.map(({ question = '', answer = '' }) => ({
    question: question.replaceAll(/\s+/g, ' ').replaceAll('**', ''),
    answer,
  }));
  return withoutCutEnd(pairs, ({ answer }) => answer);
}

/** Numbered questions, each with its answer below it or behind the question mark. */
function listedIn(reply: string): Found<Part>[] {
  const pairs: { question: string; answer: string }[] = [];
  for (const line of reply.split('\n')) {
    const begun = numbered.exec(line)?.[1];
    const pair = pairs.at(-1);
    if (begun !== undefined) {
      const end = begun.search(/[?？](?:[*_]*)(?:\s|$)/) + 1;
      if (end > 0)
        pairs.push({
          question: begun.slice(0, end),
          answer: begun.slice(end).replace(/^[*_\s]*[-–—→]*\s*/, ''),
        });
    } else if (pair) {
      pair.answer = `${pair.answer}\n${line.replace(dashed, '')}`.trim();
    }
  }
  return pairs;
}
