/** Datasets: made of what people have or written by a model, looked at, changed, and handed to training. */
export { Collection } from './collection.ts';
