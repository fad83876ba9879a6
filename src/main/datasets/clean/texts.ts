import type { ComparedPart } from '../../../shared/contract/clean.ts';
import type { Example, ExampleTurn } from '../example.ts';

/** An example whose texts, the system text included, each became what `change` made of them. */
export function withTexts(example: Example, change: (text: string) => string): Example {
  if (example.kind === 'text') return { kind: 'text', text: change(example.text) };
  const system = change(example.system);
  const turns = example.turns.map((turn) => ({ ...turn, text: change(turn.text) }));
  return { kind: 'conversation', system, turns };
}

/** The text, or the turns' texts; `asked` are those of the user. The system text, often shared by thousands, is left out. */
export function textsOf(example: Example, part: ComparedPart = 'all'): string[] {
  if (example.kind === 'text') return [example.text];
  return turnsOf(example.turns, part).map(({ text }) => text);
}

function turnsOf(turns: ExampleTurn[], part: ComparedPart): ExampleTurn[] {
  return part === 'all' ? turns : turns.filter(({ role }) => role === 'user');
}

/** Canonically composed, in lower case, each run of white space one space, none at the ends. */
export function normalised(text: string): string {
  // Several cleaners in a row ask for the same text.
  if (text === last.text) return last.normalised;
  const composed = text.normalize('NFC').toLowerCase().normalize('NFC');
  // In most texts there is nothing to replace, which is seen sooner than every space is replaced by itself.
  const spaced = unevenSpace.test(composed) ? composed.replaceAll(/\s+/gu, ' ') : composed;
  last = { text, normalised: spaced.trim() };
  return last.normalised;
}

/** White space other than a space between words. */
const unevenSpace = /[^\S ]| {2}/u;

let last = { text: '', normalised: '' };
