import type { LeftOut } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { ReadReport } from '../datasets/index.ts';

/** So many places are told of each reason: enough to look at what is wrong. */
const maxPlaces = 3;
/** So many files that cannot be read have a sentence each; a folder of thousands need not fill the screen. */
const maxFailures = 20;
const otherFailures = 'other files that could not be read';

/** What was left out of several files, by reason. */
export class LeftOutList {
  readonly entries: LeftOut[] = [];
  /** Why the first file that cannot be read cannot. */
  firstFailure: PunaError | null = null;
  #failures = 0;

  /** Adds what was left out of a file. `label`: what the file is called, where there are several. */
  add(skipped: ReadReport['skipped'], label: string | null): void {
    for (const { reason, count, where } of skipped) {
      this.#add(
        reason,
        count,
        where?.map((place) => (label === null ? place : `${label}, ${place}`)),
      );
    }
  }

  /** A file cannot be read, or not to its end. It is told by what a person calls it: nobody knows the paths of uploads. */
  fail(thrown: unknown, { path, label }: { path: string; label: string }): void {
    const { code, message, remedy, stack } = PunaError.from(thrown);
    if (code === 'internal') process.stderr.write(`${stack}\n`);
    const sentence = message.replaceAll(path, label);
    this.firstFailure ??= new PunaError(code, sentence, remedy.replaceAll(path, label), { cause: thrown });
    if (++this.#failures <= maxFailures) this.#add(sentence, 1);
    else this.#add(otherFailures, 1, [label]);
  }

  #add(reason: string, count: number, where?: string[]): void {
    const known = this.entries.find((entry) => entry.reason === reason);
    if (!known) {
      this.entries.push({ reason, count, ...(where && { where: where.slice(0, maxPlaces) }) });
      return;
    }
    known.count += count;
    if (where) known.where = [...(known.where ?? []), ...where].slice(0, maxPlaces);
  }
}
