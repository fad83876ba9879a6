/** Operations on weights: their line, what is kept of them, and what came of what. */
export { firstWords } from './first-words.ts';
export { Operations } from './operations.ts';
