import { writeSync } from 'node:fs';
import { peakMemoryBytes } from '../src/main/engine/peak-memory.ts';

/**
 * For `node --import`: tells at the end, on the descriptor 3, the most memory that the process has had, in bytes, and the time of
 * processors that it has taken, in seconds.
 */
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, `${peakMemoryBytes()} ${(user + system) / 1e6}\n`);
});
