/** Models and adapters on disk. */
export { browse, expandHome } from './browse.ts';
export { belongsToPuna, deleteModelFiles, type Trash } from './delete-model.ts';
export { Library, type LibraryOptions, type ModelToAdd } from './library.ts';
export { LibraryFolders } from './library-folders.ts';
export { placeStarter, welcomeStarter } from './place-starter.ts';
export { ReadingEngine } from './reading-engine.ts';
export { Verifier } from './verify.ts';
