import { PunaError } from '../../shared/error.ts';
import { type Places, withoutPrivateText } from './private.ts';

/** Of a trace, so many places, those nearest to the failure. */
const keptFrames = 6;
/** A chain of causes that is longer says nothing new. */
const keptCauses = 4;

/** What was thrown, in lines for a log: what kind it is, where it happened, and of its words those that are certain to be harmless. */
export function describeThrown(thrown: unknown, places: Places, depth = 0): string[] {
  if (!(thrown instanceof Error)) return [wordsOf(thrown, places)];
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  const kind = [thrown.name, code, syscall].filter((word) => typeof word === 'string').join(' ');
  // A PunaError's sentence is for the person and names their things; its code says the same without them.
  const words = thrown instanceof PunaError ? '' : wordsOf(thrown.message.split('\n')[0], places);
  const frames = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, keptFrames)
    .map((line) => `  ${withoutPrivateText(line, places)}`);
  const hasCause = thrown.cause !== undefined && depth < keptCauses;
  const [cause, ...rest] = hasCause ? describeThrown(thrown.cause, places, depth + 1) : [];
  return [
    words === '' ? kind : `${kind}: ${words}`,
    ...frames,
    ...(cause === undefined ? [] : [`caused by ${cause}`, ...rest]),
  ];
}

function wordsOf(value: unknown, places: Places): string {
  if (typeof value === 'string') return withoutPrivateText(value, places);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
