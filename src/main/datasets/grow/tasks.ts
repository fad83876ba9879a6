import { withoutCutEnd } from './endings.ts';
import { type Found, type Label, recordsIn, unwrapped } from './records.ts';

/** What a person asks an assistant for, and what it is to be done with; often nothing. */
export interface Task {
  instruction: string;
  input: string;
}

type Part = 'instruction' | 'input' | 'output';
type FoundTask = Found<Part>;

const labels: [Label<Part>, ...Label<Part>[]] = [
  { key: 'instruction', words: ['instruction', '지시 사항', '지시사항', '지시문', '지시'], loose: true },
  { key: 'input', words: ['input', 'context', '입력'] },
  {
    key: 'output',
    words: ['output', 'answer', 'response', 'expected output', '출력', '답변', '정답', '응답'],
  },
];

/** Some label or other, such as the heading of a numbered task. */
const heading = /^[*_]*(?:task|과제|작업)(?:\s*#?\d+\s*[:：.)]?|\s*[:：])[*_]*\s*/i;
const listItem =
  /^(\s{0,3})([*_]*(?:task|과제|작업)\s*#?\d{1,2}\s*[.:：)][*_]*|\(?\d{1,2}\s*[.):]|[-*•])\s+(.*)$/i;
const nested = /^\s*(?:[-*•]\s+)?[*_([]*(?:input|입력)[*_]*\s*[:：][*_]*\s*(.*?)[)\]]?$/i;
const inline = /\s*[([](?:input|입력)\s*[:：]\s*([^)\]]*)[)\]]\s*$/i;
/** Models give tasks titles: `**Trip to Busan**: Plan a …`. */
const title = /^\*\*[^*]{1,80}\*\*\s*[:：–—-]*\s*(?=\S)|^\*\*[^*]{1,80}[:：]\s*\*\*\s*(?=\S)/;

const onlyTitle = /^\*\*[^*]*\*\*\s*[:：]?\s*$/;

const nothing =
  /^[\s([<"'*-]*(?:no(?:ne|thing)?(?: input)?(?: (?:is )?(?:needed|required|necessary))?|n\/?a|empty|not applicable|null|없음|없습니다|필요 ?없음|해당 ?없음|해당 ?사항 ?없음)?[\s)\]>"'.*-]*$/i;

/** Tasks in a reply, without the last one where its instruction was cut off, and without answers that came along. */
export function tasksIn(reply: string): Task[] {
  const records = recordsIn(reply, labels).filter(({ instruction }) => instruction !== undefined);
  const found = records.length > 0 ? records : listedIn(reply);
  return withoutCutEnd(found, ({ instruction = '' }) => instruction).map(
    ({ instruction = '', input = '' }) => ({
      instruction: plain(instruction),
      input: nothing.test(input) ? '' : unwrapped(input),
    }),
  );
}

/** Items of a plain list; each is an instruction, perhaps with its input beneath or in brackets. */
function listedIn(reply: string): FoundTask[] {
  const items: { instruction: string; input?: string }[] = [];
  let marks: string | null = null;
  for (const line of reply.split('\n')) {
    const [, indent = '', mark = '', rest = ''] = listItem.exec(line) ?? [];
    const kind = indent + (/\d/.test(mark) ? 'number' : mark);
    const item = items.at(-1);
    const input = nested.exec(line)?.[1];
    if (item && input !== undefined) item.input = input;
    else if (rest !== '' && (marks ??= kind) === kind) items.push({ instruction: rest });
    // What is indented goes on, and so does what follows a title.
    else if (item && (/^\s+\S/.test(line) || onlyTitle.test(item.instruction)))
      item.instruction += `\n${line}`;
  }
  return items.map((item) => {
    const bracketed = inline.exec(item.instruction);
    if (!bracketed) return item;
    return { instruction: item.instruction.slice(0, bracketed.index), input: bracketed[1] ?? '' };
  });
}

/** An instruction is one paragraph: so it can be told from the input that follows it after an empty line. */
function plain(instruction: string): string {
  const bare = instruction
    .replace(/^[-*•]\s+/, '')
    .replace(heading, '')
    .replace(title, '');
  return unwrapped(bare.replaceAll(/\s+/g, ' ')).replaceAll('**', '');
}

/** What a person would write: the instruction and, below it, the input. */
export function taskText({ instruction, input }: Task): string {
  return input === '' ? instruction : `${instruction}\n\n${input}`;
}

/** The instruction of what `taskText` wrote. */
export function instructionOf(text: string): string {
  return text.split('\n\n', 1)[0] ?? '';
}
