import { PunaError } from '../../shared/error.ts';

/** What the device's memory must leave to everybody else. */
const spareShare = 0.05;

/** Errors: `out-of-memory` where `what` needs more than there is; `smaller` says what would fit. */
export function refuseIfTooLarge(
  needed: number,
  free: number,
  { what = 'Training', device, smaller }: { what?: string; device: string; smaller: () => string },
): void {
  if (needed <= free * (1 - spareShare)) return;
  throw new PunaError(
    'out-of-memory',
    `${what} needs ${gigabytes(needed)} on ${device}, and it may take ${gigabytes(free)}.`,
    smaller(),
  );
}

export function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
}
