/** The data folder, and files that a power cut leaves whole. */
export { type FilePieces, moveDurably, writeAtomically } from './atomic-file.ts';
export { fileError } from './file-error.ts';
export { type FolderLock, lockDataFolder } from './lock.ts';
export { begunBytes, discardBegun, type Unit, writeResumably } from './resumable-file.ts';
export { dataFolder, safeFileName } from './paths.ts';
export { Uploads } from './uploads.ts';
