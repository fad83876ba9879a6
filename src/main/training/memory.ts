import type { Llama } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import type { Device } from '../ggml/index.ts';

/** What the device's memory must leave to everybody else. */
const spareShare = 0.05;

/** What this process takes beside what is counted: graphs' descriptions, kernels' work memory, JavaScript's own. Measured. */
export const ownBytes = 24e6;

/** Before anything was loaded, in bytes. */
export async function freeMemory(llamaCpp: Llama, device: Device): Promise<number> {
  return device.isCpu ? (await llamaCpp.getRamState()).free : device.freeMemory;
}

/** What this process takes of the device's memory already, in bytes. */
export function takenMemory({ isCpu }: Device): number {
  return isCpu ? process.memoryUsage().rss : 0;
}

/** Whether so much may be taken of what is free. */
export function fits(needed: number, free: number): boolean {
  return needed <= free * (1 - spareShare);
}

export interface Refusal {
  what?: string;
  device: string;
  /** It may take less than there is. */
  limited?: boolean;
  /** Says what would fit. */
  smaller: () => string;
}

/** Errors: `out-of-memory` where `what` needs more than there is. */
export function refuseIfTooLarge(
  needed: number,
  free: number,
  { what = 'Training', device, limited = false, smaller }: Refusal,
): void {
  if (fits(needed, free)) return;
  const [needs, most] = toldApart(needed, free * (1 - spareShare));
  throw new PunaError(
    'out-of-memory',
    `${what} needs ${needs} on ${device}, which is more than the ${most} that it may take.`,
    limited ? `Allow it more memory, or make do with less: ${beginning(smaller())}` : smaller(),
  );
}

/** A sentence that goes on behind a colon. */
function beginning(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** Digits behind the point beyond which nobody reads. */
const mostDigits = 6;

/** Two amounts of memory, the first of which is larger, with as many digits as show that. */
function toldApart(larger: number, smaller: number): [string, string] {
  const [size, unit, usual] = larger >= 1e9 ? ([1e9, 'GB', 1] as const) : ([1e6, 'MB', 0] as const);
  for (let digits: number = usual; ; digits++) {
    const [one, other] = [larger, smaller].map((bytes) => `${(bytes / size).toFixed(digits)} ${unit}`);
    if (one !== undefined && other !== undefined && (one !== other || digits === mostDigits))
      return [one, other];
  }
}
