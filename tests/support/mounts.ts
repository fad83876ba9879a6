import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of its own, small and in memory, which only the root of a Linux can make. */
export interface SmallDisk {
  path: string;
  setReadOnly(readOnly: boolean): void;
  /** How much it holds from now on, in bytes. */
  resize(bytes: number): void;
  /** Takes all that is left on it with a file, and gives how to be rid of that. */
  fill(): () => void;
  unmount(): void;
}

/** Null where none can be made. `bytes`: how much it holds; `files`: of files and folders, itself among them. */
export function mountSmallDisk(
  path: string,
  bytes: number,
  { files }: { files?: number } = {},
): SmallDisk | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  mkdirSync(path, { recursive: true });
  const mount = (...words: string[]) => execFileSync('mount', words, { stdio: 'pipe' });
  try {
    const most = files === undefined ? '' : `,nr_inodes=${files}`;
    mount('-t', 'tmpfs', '-o', `size=${bytes}${most}`, 'tmpfs', path);
  } catch {
    return null;
  }
  return {
    path,
    setReadOnly: (readOnly) => void mount('-o', `remount,${readOnly ? 'ro' : 'rw'}`, path),
    resize: (size) => void mount('-o', `remount,size=${size}`, path),
    fill: () => fillWith(join(path, 'filler')),
    unmount: () => void execFileSync('umount', [path], { stdio: 'pipe' }),
  };
}

/** Memory is given to such a disk in pages. */
export const pageBytes = 4096;

function fillWith(file: string): () => void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(pageBytes));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(file);
}
