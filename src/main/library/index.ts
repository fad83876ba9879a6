/** Models and adapters on disk. */
export { browse, expandHome } from './browse.ts';
export { Library, type LibraryOptions, type ModelToAdd } from './library.ts';
