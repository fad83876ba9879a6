import { availableParallelism } from 'node:os';
import type { Device } from '../ggml/index.ts';

/**
 * One less than there are cores: ggml's threads spin while they wait for each other, so that one thread too many, or one other
 * busy program, makes a step several times slower.
 */
export function trainingThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

/** What a person is told of where it computes. */
export function deviceName({ isCpu, description }: Device, threads: number): string {
  return isCpu ? `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : description;
}
