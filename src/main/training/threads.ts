import { availableParallelism } from 'node:os';

/**
 * One less than there are cores: ggml's threads spin while they wait for each other, so that one thread too many, or one other
 * busy program, makes a step several times slower.
 */
export function trainingThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}
