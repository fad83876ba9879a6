import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { fileError, freePath, moveDurably, safeFileName, writeAtomically } from '../storage/index.ts';

/**
 * Moves a file that was uploaded into the folder of models, under its own name or, where that is taken, with a number
 * after it. Gives the new path. Errors: `disk-full`, `invalid-input`.
 */
export async function moveIntoFolder(uploadPath: string, folder: string, name: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const path = await freePath(folder, safeFileName(name));
    await move(uploadPath, path);
    return path;
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await moveDurably(from, to);
  } catch (thrown) {
    // A person may have put the folder on another disk, by a link.
    if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
    await writeAtomically(to, createReadStream(from));
    await rm(from);
  }
}
