/** Datasets: their line, what is kept of them, and what is made of them. */
export { Collection } from './collection.ts';
