import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Devices, Measured } from '../machine-engine/messages.ts';
import { writeAtomically } from '../storage/index.ts';

const rate = z.number().positive();
const typeSpeed = z.object({ streamed: rate, products: rate });
const speeds = z.object({ F16: typeSpeed, Q8_0: typeSpeed, Q6_K: typeSpeed, Q4_K: typeSpeed });

/** What was measured, and on what. */
const keptSchema = z.object({
  measuredAt: z.number(),
  on: z.object({
    processor: z.string(),
    cores: z.number(),
    threads: z.number(),
    memory: z.number(),
    gpus: z.array(z.string()),
  }),
  measured: z.object({ cpu: speeds, gpu: speeds.nullable(), diskRead: rate.nullable() }),
});
export type KeptMeasures = z.infer<typeof keptSchema>;

/** What measures hold for: when any of it is another one, they are worth nothing. */
export function hardware(
  { names, threads }: Devices,
  { processor, cores, memory }: { processor: string; cores: number; memory: number },
): KeptMeasures['on'] {
  return { processor, cores, threads, memory, gpus: names };
}

/** What was measured on this hardware; null where there is nothing that can be read, or it was measured on another one. */
export async function readMeasures(path: string, on: KeptMeasures['on']): Promise<KeptMeasures | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const kept = keptSchema.parse(JSON.parse(text));
    return isDeepStrictEqual(kept.on, on) ? kept : null;
  } catch {
    return null;
  }
}

/** What a disk does not take, because it is full or must not be written, is measured again by the next process. */
export async function writeMeasures(
  path: string,
  on: KeptMeasures['on'],
  measured: Measured,
): Promise<KeptMeasures> {
  const kept: KeptMeasures = { measuredAt: Date.now(), on, measured };
  await writeAtomically(path, [`${JSON.stringify(kept, null, 2)}\n`]).catch(() => undefined);
  return kept;
}
