import type { CleanerName } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';

/** Why, and the text that shows it: a beginning of it, with personal data masked, becomes a sample of the report. */
export interface Finding {
  reason: string;
  text: string;
}

/** What becomes of an example. A changed one says everything that was found in it. */
export type Verdict =
  | { kind: 'kept' }
  | { kind: 'changed'; example: Example; findings: Finding[] }
  | { kind: 'dropped'; finding: Finding };

/** Looks at one example after the other. Never changes the one that it is given. */
export interface Cleaner {
  readonly name: CleanerName;
  judge(example: Example): Verdict;
  /** Examples that later ones are not compared with, since memory was full. Absent: it remembers none. */
  readonly notRemembered?: number;
}

export const kept: Verdict = { kind: 'kept' };

export function dropped(reason: string, text: string): Verdict {
  return { kind: 'dropped', finding: { reason, text } };
}
