import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Makes a folder and those above it, where they are not there. Node's own way tries for ever where a system says of a folder whose parent is
 * there that something is missing, as those do that put disks in place when they are asked for. Errors: those of the system.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    // Systems name the reason differently where something is there; what is there decides.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const above = dirname(path);
    // Above a drive that is not there is nothing but itself.
    if (code !== 'ENOENT' || above === path || existsSync(above)) throw thrown;
    makeFolder(above);
    // Another process may have made it meanwhile.
    makeFolder(path);
  }
}

/**
 * Writes a small file into a folder, and removes it: permissions alone would not tell of a disk that is read-only, full, or has no room for
 * one more file. Errors: those of the system.
 */
export function tryToWrite(folder: string): void {
  const path = join(folder, `.writable-${process.pid}`);
  try {
    writeFileSync(path, 'This file may be deleted.');
  } finally {
    rmSync(path, { force: true });
  }
}
