import type { CleanReport, CleanSettings } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { boilerplateCleaner } from './boilerplate.ts';
import type { Cleaner } from './cleaner.ts';
import { exactDuplicatesCleaner } from './exact-duplicates.ts';
import { languageCleaner } from './language.ts';
import { lengthCleaner } from './length.ts';
import { nearDuplicatesCleaner } from './near-duplicates.ts';
import { personalDataCleaner } from './personal-data.ts';
import { count, emptyCleanReport, entryOf } from './report.ts';

export {
  type CleanReport,
  type CleanSettings,
  defaultCleanSettings,
} from '../../../shared/contract/clean.ts';
export { emptyCleanReport } from './report.ts';

/**
 * The examples that are worth learning from, in their order, as a stream: the same for the same examples and settings, and
 * cleaning them again changes nothing more. The report is brought up to date while they are read; it must be empty.
 *
 * The order of the cleaners is fixed. Personal data comes first, so that no text that is looked at or reported behind holds
 * any, and so that what differs in a masked number alone becomes a duplicate. What judges an example by itself comes before
 * what compares it with others: an example that is dropped must not be the "first one" for whose sake others go. The cheap
 * comparison comes before the dear one.
 */
export async function* clean(
  examples: AsyncIterable<Example>,
  settings: CleanSettings,
  report: CleanReport = emptyCleanReport(),
): AsyncGenerator<Example> {
  const cleaners = await cleanersOf(settings);
  const steps = cleaners.map((cleaner) => ({ cleaner, entry: entryOf(report, cleaner) }));
  for await (const example of examples) {
    report.seen++;
    let current: Example | null = example;
    for (const { cleaner, entry } of steps) {
      const verdict = cleaner.judge(current);
      count(entry, cleaner, verdict);
      if (verdict.kind === 'changed') current = verdict.example;
      if (verdict.kind !== 'dropped') continue;
      current = null;
      break;
    }
    if (!current) continue;
    report.kept++;
    yield current;
  }
}

async function cleanersOf(settings: CleanSettings): Promise<Cleaner[]> {
  const { personalData, boilerplate, length, language, exactDuplicates, nearDuplicates } = settings;
  const cleaners: Cleaner[] = [];
  if (personalData.on) cleaners.push(personalDataCleaner(personalData));
  if (boilerplate.on) cleaners.push(boilerplateCleaner(boilerplate));
  if (length.on) cleaners.push(lengthCleaner(length));
  if (language.on) cleaners.push(await languageCleaner(language));
  if (exactDuplicates.on) cleaners.push(exactDuplicatesCleaner(exactDuplicates));
  if (nearDuplicates.on) cleaners.push(nearDuplicatesCleaner(nearDuplicates));
  return cleaners;
}
