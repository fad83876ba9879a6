import type { ReadReport } from '../datasets/index.ts';
import { damagedInArchive, type ImportFiles } from '../datasets/import/import-files.ts';
import { PunaError } from '../../shared/error.ts';

/** So many places are told of each reason, as of files that are named. */
const maxPlaces = 3;

/** What is left out of the files of ZIP archives, which are told by their names in them: one that cannot be read costs no other. */
export class ArchiveReport {
  readonly #files: ImportFiles;
  readonly #report: ReadReport;
  #failure: unknown = null;

  /** Adds to `report`, first what could not be unpacked. */
  constructor(files: ImportFiles, report: ReadReport) {
    this.#files = files;
    this.#report = report;
    const damaged = files.damaged.map(({ nameInArchive }) => nameInArchive);
    if (damaged.length > 0) this.#add({ reason: damagedInArchive, count: damaged.length, where: damaged });
  }

  /** Where what is left out of a file is counted while it is read: of one in an archive, for itself. */
  begin(path: string): ReadReport {
    return this.#files.nameInArchive(path) === null ? this.#report : { examples: 0, skipped: [] };
  }

  end(path: string, own: ReadReport): void {
    if (own === this.#report) return;
    const name = this.#files.nameInArchive(path) ?? path;
    this.#report.examples += own.examples;
    for (const { reason, count, where = [] } of own.skipped) {
      this.#add({ reason, count, where: where.map((place) => `${name}, ${place}`) });
    }
  }

  /** A file cannot be read, or not to its end. Errors: what was thrown, unless it is about a file in an archive. */
  fail(thrown: unknown, path: string): void {
    const name = this.#files.nameInArchive(path);
    if (name === null || !(thrown instanceof PunaError)) throw thrown;
    this.#failure ??= this.#files.named(thrown, path);
    const reason = `${thrown.message} ${thrown.remedy}`.trim().replaceAll(path, name);
    this.#add({ reason, count: 1, where: [] });
  }

  /** Errors: that of the first file in an archive that cannot be read, where nothing else can be. */
  finish(): void {
    if (this.#failure !== null && this.#report.examples === 0) throw this.#failure;
  }

  #add({ reason, count, where }: { reason: string; count: number; where: string[] }): void {
    const { skipped } = this.#report;
    let entry = skipped.find((known) => known.reason === reason);
    if (!entry) skipped.push((entry = { reason, count: 0 }));
    entry.count += count;
    if (where.length > 0) entry.where = [...(entry.where ?? []), ...where].slice(0, maxPlaces);
  }
}
