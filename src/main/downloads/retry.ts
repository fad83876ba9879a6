import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { NetworkError } from './network-error.ts';

export interface RetryOptions {
  /** How often the same is tried before it has failed. */
  attempts: number;
  /** Before the second try, in ms; doubled before each further one. */
  firstPauseMs: number;
  /** Where the next try would have to wait longer, it has failed. */
  longestPauseMs?: number;
}

/** A router that restarts is back within half a minute. */
export const usualRetries: RetryOptions = { attempts: 6, firstPauseMs: 1_000 };
const longestPauseMs = 30_000;
/** Whoever is told to wait longer does something else meanwhile. */
const mostPatienceMs = 120_000;

/** For a person who looks on: a hiccup is bridged, and what is out of reach is said within seconds. */
export const promptRetries: RetryOptions = { attempts: 3, firstPauseMs: 500, longestPauseMs: 2_000 };

/** Waits before a failed attempt is made again (`failures`: how many there were). Throws the failure where that is of no use. */
export async function pauseAfter(
  thrown: unknown,
  failures: number,
  { attempts, firstPauseMs, longestPauseMs: patienceMs = mostPatienceMs }: RetryOptions,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (!(thrown instanceof NetworkError) || !thrown.again || failures >= attempts) throw thrown;
  const pause = thrown.retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1));
  if (pause > patienceMs) throw thrown;
  await wait(pause, undefined, signal ? { signal } : {});
}

/** When to ask again, as the header Retry-After says it: seconds, or a date. In ms from now on. */
export function retryAfterMs(headers: IncomingHttpHeaders, now = Date.now()): number | undefined {
  const said = headers['retry-after']?.trim();
  if (!said) return undefined;
  const seconds = Number(said);
  const ms = Number.isNaN(seconds) ? Date.parse(said) - now : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
