import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The engine processes of a program, newest last. */
export async function enginesOf(
  program: number,
  kind: 'inference' | 'training' | 'weights' | 'dataset-engine',
): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, , parent, words]) => Number(parent) === program && words?.includes(`${kind}/engine.ts`))
    .map(([, pid]) => Number(pid));
}
