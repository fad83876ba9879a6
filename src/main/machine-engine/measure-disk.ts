import koffi from 'koffi';
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Written and read again: what a disk reads in a fraction of a second. */
const measuredBytes = 64 * 1024 * 1024;
const pieceBytes = 4 * 1024 * 1024;
/** Fuller disks are left alone. */
const leastFree = 10 * measuredBytes;

/**
 * How fast the disk of a folder is read, in bytes a second: a file is written there, forgotten by the system's cache, and read.
 * Null where it cannot be measured: the folder is not there, the disk is full, or the system has no call for that (Windows).
 */
export async function measureDisk(folder: string, signal: AbortSignal): Promise<number | null> {
  const uncache = cacheDropper();
  if (uncache === null) return null;
  const path = join(folder, `.speed-${randomBytes(6).toString('hex')}`);
  try {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < leastFree) return null;
    await using file = await open(path, 'wx+');
    // What can be compressed or stored as nothing would be read too fast.
    const piece = randomBytes(pieceBytes);
    for (let offset = 0; offset < measuredBytes; offset += pieceBytes) {
      signal.throwIfAborted();
      await file.write(piece, 0, pieceBytes, offset);
    }
    await file.sync();
    uncache(file);
    const begin = performance.now();
    for (let offset = 0; offset < measuredBytes; offset += pieceBytes) {
      await file.read(piece, 0, pieceBytes, offset);
    }
    return Math.round((1000 * measuredBytes) / (performance.now() - begin));
  } catch {
    signal.throwIfAborted();
    return null;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** POSIX_FADV_DONTNEED of Linux, F_NOCACHE of macOS. */
const dontNeed = 4;
const noCache = 48;

/** Has the system forget what it keeps of a file; null where it cannot be asked. */
function cacheDropper(): ((file: FileHandle) => void) | null {
  if (process.platform === 'linux') {
    const advise = koffi.load(null).func('posix_fadvise', 'int', ['int', 'int64_t', 'int64_t', 'int']);
    return ({ fd }) => void advise(fd, 0, 0, dontNeed);
  }
  if (process.platform === 'darwin') {
    const control = koffi.load(null).func('int fcntl(int fd, int command, ...)');
    return ({ fd }) => void control(fd, noCache, 'int', 1);
  }
  return null;
}
