/** Why something that the model wrote is left out, as reports count it. */
export const growReasons = {
  unreadable: 'replies without anything in the form that was asked for',
  tooShort: 'tasks and questions of a word or two',
  tooLong: 'tasks and questions that are too long',
  beyondText: 'tasks about pictures, files and other things that are no text',
  strangeStart: 'tasks and questions that begin with a punctuation mark',
  otherLanguage: 'tasks and questions in another language',
  similar: 'tasks and questions that are similar to earlier ones',
  noAnswer: 'tasks and questions without an answer',
  refusal: 'refusals',
  echo: 'answers that repeat what was asked',
  repetition: 'answers that repeat themselves',
  unfinished: 'answers without an end',
  unsupported: 'answers that the passage does not support',
  aboutPassage: 'questions that cannot be understood without the passage',
} as const;
export type GrowReason = (typeof growReasons)[keyof typeof growReasons];
