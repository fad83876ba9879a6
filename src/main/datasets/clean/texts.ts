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
  return text.normalize('NFC').toLowerCase().normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
}
