/** What a mark in a reply begins. `nothing`: what follows is neither thought nor answer. */
export type MarkedPart = 'thinking' | 'text' | 'nothing';

/** How models of a kind tell their thoughts from their answers. */
export interface ThoughtStyle {
  marks: readonly { mark: string; begins: MarkedPart }[];
  /** What stands before a thought, between a thought and the answer, and before an answer without a thought. */
  opening: string;
  between: string;
  plain: string;
  /** What makes a model that thinks answer at once. */
  skipping: string;
  /** The marks are special tokens, which cannot be part of an answer's words. */
  special: boolean;
}

function tags(opening: string, closing: string, special = false): ThoughtStyle {
  return {
    marks: [
      { mark: opening, begins: 'thinking' },
      { mark: closing, begins: 'text' },
    ],
    ...{ opening: `${opening}\n`, between: `\n${closing}\n\n`, plain: '', special },
    skipping: `${opening}\n\n${closing}\n\n`,
  };
}

/** What most models write, also those whose template says nothing of it. */
const usual = tags('<think>', '</think>');

const others = [
  tags('<seed:think>', '</seed:think>'),
  tags('<thought>', '</thought>'),
  tags('[THINK]', '[/THINK]', true),
  tags('<|START_THINKING|>', '<|END_THINKING|>', true),
  tags('<|begin_of_thought|>', '<|end_of_thought|>', true),
  {
    ...tags('<|channel>thought', '<channel|>', true),
    ...{ between: '\n<channel|>', skipping: '<|channel>thought\n<channel|>' },
  },
];

/** gpt-oss: everything has a channel. */
const channels: ThoughtStyle = {
  marks: [
    { mark: '<|channel|>analysis<|message|>', begins: 'thinking' },
    { mark: '<|channel|>commentary<|message|>', begins: 'thinking' },
    { mark: '<|channel|>final<|message|>', begins: 'text' },
    { mark: '<|end|>', begins: 'nothing' },
    { mark: '<|start|>assistant', begins: 'nothing' },
  ],
  opening: '<|channel|>analysis<|message|>',
  between: '<|end|><|start|>assistant<|channel|>final<|message|>',
  plain: '<|channel|>final<|message|>',
  skipping: '<|channel|>final<|message|>',
  special: true,
};

/** The style whose marks a template knows; the usual one if it knows none. */
export function thoughtStyle(templateSource: string): ThoughtStyle {
  if (templateSource.includes('<|channel|>') && templateSource.includes('<|message|>')) return channels;
  const known = [usual, ...others].find(({ opening }) => templateSource.includes(opening.trim()));
  // A model that was not made to think would wonder about the tags.
  return known ?? { ...usual, skipping: '' };
}

/** Whether a prompt that ends so has opened a thought, as some templates do. */
export function opensThought(promptEnd: string, { marks }: ThoughtStyle): boolean {
  const end = promptEnd.trimEnd();
  return marks.some(({ mark, begins }) => begins === 'thinking' && end.endsWith(mark));
}
