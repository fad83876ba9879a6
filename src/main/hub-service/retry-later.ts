import { NetworkError } from '../downloads/index.ts';

const minute = 60_000;

/** How a download that failed is tried again by itself. */
export interface LaterRetries {
  /** After the first failure, the second, and so on, in ms; the last one is for all that follow. */
  pausesMs: readonly number[];
}

/** A router restarts within minutes, a hub is back within the hour; whoever is away longer finds the download going on all the same. */
export const usualLaterRetries: LaterRetries = { pausesMs: [minute, 5 * minute, 15 * minute, 60 * minute] };

/** A server that wants to be left alone for longer is asked once a day all the same. */
const longestPauseMs = 24 * 60 * minute;

/** Failures of the way or of the server's own, which pass; what a server refuses, or sends wrongly, it does the next time, too. */
export function mayPass(thrown: unknown): thrown is NetworkError {
  if (!(thrown instanceof NetworkError)) return false;
  return ['unreachable', 'rate-limited', 'server-failed'].includes(thrown.reason);
}

/** How long to wait after so many failures, in ms: as long as the server says, where that is longer. */
export function pauseBeforeRetry(
  failures: number,
  { retryAfterMs = 0 }: Pick<NetworkError, 'retryAfterMs'>,
  { pausesMs }: LaterRetries,
): number {
  const pause = pausesMs[Math.min(failures, pausesMs.length) - 1] ?? minute;
  return Math.max(pause, Math.min(retryAfterMs, longestPauseMs));
}
