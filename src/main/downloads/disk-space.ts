import { statfs } from 'node:fs/promises';
import { PunaError } from '../../shared/error.ts';
import { size } from '../weights/figures.ts';

/** Refuses what can never fit. `bytes`: what is still to be written there. Errors: `disk-full`. */
export async function checkSpace(folder: string, bytes: number, name: string): Promise<void> {
  // Some file systems do not tell; then the writing itself will.
  const disk = await statfs(folder).catch(() => null);
  if (!disk || bytes <= disk.bavail * disk.bsize) return;
  throw new PunaError(
    'disk-full',
    `${name} does not fit on the disk of ${folder}: it needs ${size(bytes)}, and ${size(disk.bavail * disk.bsize)} are free.`,
    'Free some space, or choose a folder on another disk.',
  );
}
