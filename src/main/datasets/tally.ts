import type { ReadReport } from './example.ts';

/** So many places are told of each reason: enough to look at what is wrong. */
const maxPlaces = 3;

/** Counts in a report what is left out. */
export class Tally {
  readonly #report: ReadReport;
  /** Where what is being read stands; null where nobody needs to be told. */
  where: string | null = null;

  constructor(report: ReadReport) {
    this.#report = report;
  }

  /** Counts something that cannot be read, with where it stands. */
  skipAt(reason: string, where: string): void {
    const before = this.where;
    this.where = where;
    this.skip(reason);
    this.where = before;
  }

  /** Reasons are a few fixed phrases, never words of the file, so that the list stays short. */
  skip(reason: string): void {
    let entry = this.#report.skipped.find((known) => known.reason === reason);
    if (entry) entry.count++;
    else {
      entry = { reason, count: 1 };
      this.#report.skipped.push(entry);
    }
    if (this.where === null) return;
    entry.where ??= [];
    if (entry.where.length < maxPlaces && entry.where.at(-1) !== this.where) entry.where.push(this.where);
  }
}
