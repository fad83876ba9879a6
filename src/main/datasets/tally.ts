import type { ReadReport } from './example.ts';

/** Counts in a report what is left out. */
export class Tally {
  readonly #report: ReadReport;

  constructor(report: ReadReport) {
    this.#report = report;
  }

  /** Reasons are a few fixed phrases, never words of the file, so that the list stays short. */
  skip(reason: string): void {
    const known = this.#report.skipped.find((entry) => entry.reason === reason);
    if (known) known.count++;
    else this.#report.skipped.push({ reason, count: 1 });
  }
}
