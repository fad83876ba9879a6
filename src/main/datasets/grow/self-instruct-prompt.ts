import type { Task } from './tasks.ts';

/** What asking for tasks says, by the language that they are to be in. */
interface Words {
  task: string;
  instruction: string;
  input: string;
  none: string;
  begin: string;
  /** `tasks`: how many to write. */
  ask(tasks: number): string;
}

const words: Record<'en' | 'ko', Words> = {
  en: {
    task: 'Task',
    instruction: 'Instruction',
    input: 'Input',
    none: 'none',
    begin: 'People give an assistant tasks. Some examples:',
    ask: (tasks) =>
      `Write ${tasks} new tasks in exactly this form, each with "Instruction:" and "Input:".
- Each is about something else than the examples and than the others, and begins with another verb; some are questions.
- An instruction is one or two sentences. Where it needs a text, a list or numbers to work on, write them out as the input; otherwise write "Input: none".
- They can be done by writing alone: without pictures, files, links or anything else to look at.
- Do not write the answers.`,
  },
  ko: {
    task: '과제',
    instruction: '지시',
    input: '입력',
    none: '없음',
    begin: '사람들은 어시스턴트에게 과제를 냅니다. 몇 가지 예입니다.',
    ask: (tasks) =>
      `이와 똑같은 형식으로 새로운 과제 ${tasks}개를 쓰세요. 과제마다 "지시:"와 "입력:"이 있어야 합니다.
- 위의 예와 다르고 서로도 다른 주제여야 합니다. 시키는 일도 다양하게 하고, 질문도 섞으세요.
- 지시는 한두 문장입니다. 다룰 글이나 목록, 숫자가 필요하면 입력에 실제로 쓰고, 필요 없으면 "입력: 없음"이라고 쓰세요.
- 글만으로 할 수 있는 일이어야 합니다. 사진, 파일, 링크처럼 따로 봐야 하는 것은 안 됩니다.
- 답은 쓰지 마세요. 모두 한국어로 쓰세요.`,
  },
};

/** Longer inputs of examples are cut: they show the form, and the room in a small model's context is scarce. */
const mostInput = 400;

/** Asks for so many new tasks, after some examples. */
export function taskPrompt(examples: readonly Task[], tasks: number, language: 'en' | 'ko'): string {
  const { task, instruction, input, none, begin, ask } = words[language];
  const shown = examples.map((example, at) => {
    const given = example.input === '' ? none : shortened(example.input);
    return `${task} ${at + 1}\n${instruction}: ${example.instruction}\n${input}: ${given}`;
  });
  return [begin, ...shown, ask(tasks)].join('\n\n');
}

function shortened(text: string): string {
  return text.length > mostInput ? `${text.slice(0, mostInput)}…` : text;
}
