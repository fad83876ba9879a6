import type { CleanerReport, CleanReport } from '../../../shared/contract/clean.ts';
import { printable } from '../../weights/formats/printable.ts';
import type { Cleaner, Finding, Verdict } from './cleaner.ts';
import { maskAll } from './personal/index.ts';

/** Enough to see what a reason means. */
const maxSamples = 3;
/** A line or two on a screen. */
const sampleCharacters = 160;
/** What stands before a mask, so that it is seen what it was about. */
const charactersBeforeMask = 60;

/** A report of nothing yet. */
export function emptyCleanReport(): CleanReport {
  return { seen: 0, kept: 0, cleaners: [] };
}

/** The place of a cleaner in the report. */
export function entryOf(report: CleanReport, { name }: Cleaner): CleanerReport {
  const entry: CleanerReport = {
    ...{ cleaner: name, seen: 0, changed: 0, dropped: 0, notRemembered: 0 },
    reasons: [],
  };
  report.cleaners.push(entry);
  return entry;
}

/** Counts a verdict. */
export function count(entry: CleanerReport, cleaner: Cleaner, verdict: Verdict): void {
  entry.seen++;
  entry.notRemembered = cleaner.notRemembered ?? 0;
  if (verdict.kind === 'dropped') {
    entry.dropped++;
    note(entry, verdict.finding);
  } else if (verdict.kind === 'changed') {
    entry.changed++;
    for (const finding of verdict.findings) note(entry, finding);
  }
}

function note({ reasons }: CleanerReport, { reason, text }: Finding): void {
  let known = reasons.find((entry) => entry.reason === reason);
  if (!known) reasons.push((known = { reason, count: 0, samples: [] }));
  known.count++;
  if (known.samples.length >= maxSamples) return;
  const sample = excerpt(text, `[${reason}]`);
  if (!known.samples.includes(sample)) known.samples.push(sample);
}

/** Masked before it is cut, since half a number is no number to any pattern. Starts near the sign, where there is one. */
function excerpt(text: string, sign: string): string {
  const masked = maskAll(text);
  const from = Math.max(0, masked.indexOf(sign) - charactersBeforeMask);
  const cut = printable(masked.slice(from, from + sampleCharacters).toWellFormed()).trim();
  return `${from > 0 ? '…' : ''}${cut}${from + sampleCharacters < masked.length ? '…' : ''}`;
}
