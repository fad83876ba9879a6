import { boilerplateCleaner } from '../clean/boilerplate.ts';
import { endsLikeSentence } from './endings.ts';
import { type GrowReason, growReasons } from './reasons.ts';
import { unitsOf } from './rouge.ts';

const boilerplate = boilerplateCleaner({ on: true, kinds: ['empty', 'refusal', 'echo', 'repetition'] });
const boilerplateReasons = new Map<string, GrowReason>([
  ['empty', growReasons.noAnswer],
  ['refusal', growReasons.refusal],
  ['echo', growReasons.echo],
  ['repetition', growReasons.repetition],
]);

/** So many words in a row that were there before: small models fall into saying the same for ever, songs have refrains. */
const repeatedUnits = 4;
/** Of a text that short, half may be said twice by chance. */
const fewestUnits = 60;
/** Of so many runs of words, half must be new; lists and tables repeat a third at most. */
const leastNew = 0.5;

/** Of a reply that is cut off after `answering.maxTokens`, at least so many characters are there. */
const cutOffCharacters = 1000;

/** Why an answer of a model is left out; null: it is not. */
export function faultOfAnswer(question: string, answer: string): GrowReason | null {
  if (answer.trim() === '') return growReasons.noAnswer;
  if (unitsOf(question).join(' ') === unitsOf(answer).join(' ')) return growReasons.echo;
  const verdict = boilerplate.judge({
    kind: 'conversation',
    system: '',
    turns: [
      { role: 'user', text: question },
      { role: 'assistant', text: answer },
    ],
  });
  if (verdict.kind === 'dropped')
    return boilerplateReasons.get(verdict.finding.reason) ?? growReasons.noAnswer;
  if (isCircling(answer)) return growReasons.repetition;
  if (isCutOff(answer)) return growReasons.unfinished;
  return null;
}

function isCircling(answer: string): boolean {
  const units = unitsOf(answer);
  if (units.length < fewestUnits) return false;
  const runs = units.slice(repeatedUnits - 1).map((_, at) => units.slice(at, at + repeatedUnits).join(' '));
  return new Set(runs).size < runs.length * leastNew;
}

/** A long answer that stops inside a block of code, or in the middle of a line of prose. */
function isCutOff(answer: string): boolean {
  if ((answer.match(/^\s*```/gm)?.length ?? 0) % 2 === 1) return true;
  if (answer.length < cutOffCharacters || endsLikeSentence(answer)) return false;
  const last = answer.slice(answer.lastIndexOf('\n') + 1);
  // Items of lists, rows of tables and headings end as they like.
  return !/^\s*(?:[-*•|#>]|\d+[.)])/.test(last);
}
