import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '../median.ts';

/** A process as `ps` lists it. */
interface Process {
  pid: number;
  parent: number;
  /** Resident memory, in bytes. */
  memory: number;
  words: string;
}

export interface Sample {
  /** Seconds since the process was started. */
  at: number;
  memory: number;
}

async function processes(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, kilobytes, words] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (words === undefined) return [];
    return { pid: Number(pid), parent: Number(parent), memory: Number(kilobytes) * 1024, words };
  });
}

/** The processes that a program has started, oldest first. */
export async function childrenOf(program: number): Promise<Process[]> {
  return (await processes()).filter(({ parent, words }) => parent === program && !words.startsWith('ps '));
}

export async function memoryOf(pid: number): Promise<number | undefined> {
  return (await processes()).find((process) => process.pid === pid)?.memory;
}

/** Those of these processes that are still there. */
export async function remaining(pids: readonly number[]): Promise<Process[]> {
  return (await processes()).filter(({ pid, words }) => pids.includes(pid) && !words.includes('<defunct>'));
}

/** In seconds. In less, what a collector of garbage does weighs more than what grows. */
const leastTime = 600;

/**
 * How fast memory grows, in bytes an hour: the median slope of all pairs (Theil and Sen), which a few large moments do not bend. What
 * comes before `settled` seconds is left out, while everything is loaded for the first time. Null where too little time is left to tell.
 */
export function growth(samples: readonly Sample[], settled: number): number | null {
  const late = samples.filter(({ at }) => at >= settled);
  const [first, last] = [late[0], late.at(-1)];
  if (!first || !last || last.at - first.at < leastTime) return null;
  const slopes = late.flatMap((one, index) =>
    late.slice(index + 1).map((other) => (other.memory - one.memory) / (other.at - one.at)),
  );
  return median(slopes) * 3600;
}
