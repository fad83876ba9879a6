/** The data folder, files that a power cut leaves whole, and what a database has not taken yet. */
export { type FilePieces, isRunning, moveDurably, removeLeftovers, writeAtomically } from './atomic-file.ts';
export { type DatabaseFacts, readDatabaseFacts, sqliteVersion } from './database-facts.ts';
export { fileError } from './file-error.ts';
export { KeptUploads } from './kept-uploads.ts';
export { InPlace } from './in-place.ts';
export { freePath } from './free-path.ts';
export { makeFolder, tryToWrite } from './make-folder.ts';
export { type FolderLock, lockDataFolder, makeDataFolder } from './lock.ts';
export {
  begunBytes,
  discardBegun,
  type ResumableOptions,
  type Unit,
  writeResumably,
} from './resumable-file.ts';
export {
  begunFolderBytes,
  discardBegunFolder,
  type FolderFile,
  writeFolderResumably,
} from './resumable-folder.ts';
export { dataFolder, safeFileName } from './paths.ts';
export { Unsaved } from './unsaved.ts';
export { Uploads } from './uploads.ts';
