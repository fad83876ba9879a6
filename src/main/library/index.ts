/** Models and adapters on disk. */
export { browse } from './browse.ts';
export { Library, type LibraryOptions, type ModelToAdd } from './library.ts';
