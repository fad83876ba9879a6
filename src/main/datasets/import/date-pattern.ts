import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../../weights/formats/printable.ts';
import { dayOf, timeOf } from './chat-dates.ts';

/** A line of a chat whose dates a person has described. */
export interface DatedLine {
  readonly at: number;
  /** What follows the date. */
  readonly rest: string;
}

const tokens = new Map([
  ['YYYY', '(?<year>\\d{4})'],
  ['YY', '(?<year>\\d{2})'],
  ['M', '(?<month>\\d{1,2})'],
  ['D', '(?<day>\\d{1,2})'],
  ['h', '(?<hour>\\d{1,2})'],
  ['m', '(?<minute>\\d{2})'],
  ['s', '(?<second>\\d{2})'],
  ['a', '(?<half>[^\\d\\s]{1,4}(?:\\s?[^\\d\\s]{1,3})?)'],
]);

/** Letters that stand for numbers; other words stand for themselves. */
const tokenPattern = /YYYY|YY|(?<![A-Za-z])[MDhmsa](?![A-Za-z])/g;

/** How a person describes the dates of a chat, in an example. */
export const datePatternExample = 'D/M/YYYY, h:m - ';

/**
 * Reads lines that begin with a date as a pattern describes it: `YYYY`, `YY`, `M`, `D`, `h`, `m`, `s`, and `a` for the half of the
 * day; whatever else stands in it is found as it is. Errors: `invalid-input` (it has no year, month, day, hour or minute).
 */
export function datedLines(pattern: string): (line: string) => DatedLine | null {
  let source = '';
  let last = 0;
  for (const match of pattern.matchAll(tokenPattern)) {
    source += literal(pattern.slice(last, match.index)) + (tokens.get(match[0]) ?? '');
    last = match.index + match[0].length;
  }
  source += literal(pattern.slice(last).trimEnd());
  const missing = ['year', 'month', 'day', 'hour', 'minute'].find(
    (part) => source.split(`<${part}>`).length !== 2,
  );
  if (missing !== undefined) {
    throw new PunaError(
      'invalid-input',
      `The dates ${quoted(pattern)} need exactly one place for the ${missing}.`,
      `Describe them as in "${datePatternExample}", with YYYY or YY, M, D, h, m, and s and a where there are any.`,
    );
  }
  const known = new RegExp(`^${source}\\s*(?<rest>.*)$`, 'i');
  return (line) => {
    const { year, month, day, hour, minute, second, half, rest = '' } = known.exec(line)?.groups ?? {};
    if (year === undefined) return null;
    const date = dayOf(Number(year), Number(month), Number(day));
    const time = timeOf([half, hour, minute, second, undefined]);
    return date === null || time === null ? null : { at: date + time, rest };
  };
}

/** Spaces of all kinds are the same, as phones write narrow ones. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(/\s+/g, '\\s+');
}

/** Lines that stand in an error: enough to see what the dates are like. */
const shownLines = 3;

/** A chat whose dates nobody here has seen yet. */
export class StrangeDates extends PunaError {
  /** Its first lines. */
  readonly lines: readonly string[];

  constructor(where: string, lines: readonly string[]) {
    const first = lines.slice(0, shownLines);
    super(
      'invalid-input',
      `${where} looks like a chat, but how its dates are written is not known: ${first.map(quoted).join('; ')}.`,
      `What do they mean? Describe what stands before the names, as in --dates "${datePatternExample}".`,
    );
    this.lines = first;
  }
}
