import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetJobs } from '../dataset-engine/messages.ts';
import type { HelperEngine } from '../engine/index.ts';

/** How folders begin that hold what is being exported. */
const exported = '.export-';
/** Those that are being read; what a program that was killed has left is not among them. */
const beingRead = new Set<string>();

/** All that is not excluded, as JSONL in pieces; they are those of one moment, whatever a person changes meanwhile. */
export async function* exportPieces(
  file: string,
  {
    helper,
    folder,
    signal,
  }: { helper: HelperEngine<DatasetJobs>; folder: string; signal: AbortSignal | undefined },
): AsyncGenerator<string> {
  await mkdir(folder, { recursive: true });
  const own = await mkdtemp(join(folder, exported));
  beingRead.add(own);
  try {
    const { data, validationData } = await helper.run('snapshot', { file, folder: own });
    for (const path of [data, validationData]) {
      if (path === null) continue;
      const pieces = createReadStream(path, { encoding: 'utf8', signal }) as AsyncIterable<string>;
      for await (const piece of pieces) yield piece;
    }
  } finally {
    beingRead.delete(own);
    await rm(own, { recursive: true, force: true });
  }
}

/** Removes all snapshots but those at these paths, and what is being exported. */
export async function clearSnapshots(folder: string, needed: readonly string[]): Promise<void> {
  const keep = new Set([...needed, ...beingRead]);
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (!keep.has(path)) await rm(path, { recursive: true, force: true });
  }
}
