import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A disk of its own, small and in memory, which only the root of a Linux can make. */
export interface SmallDisk {
  path: string;
  setReadOnly(readOnly: boolean): void;
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
    unmount: () => void execFileSync('umount', [path], { stdio: 'pipe' }),
  };
}
