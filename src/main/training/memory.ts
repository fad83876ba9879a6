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

/** Errors: `out-of-memory` where `what` needs more than there is; `smaller` says what would fit. */
export function refuseIfTooLarge(
  needed: number,
  free: number,
  { what = 'Training', device, smaller }: { what?: string; device: string; smaller: () => string },
): void {
  if (fits(needed, free)) return;
  throw new PunaError(
    'out-of-memory',
    `${what} needs ${gigabytes(needed)} on ${device}, and it may take ${gigabytes(free)}.`,
    smaller(),
  );
}

export function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
}
