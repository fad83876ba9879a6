/** Files that a power cut leaves whole, and the data folder that they live in. */
export { type FilePieces, moveDurably, writeAtomically } from './atomic-file.ts';
export { fileError } from './file-error.ts';
