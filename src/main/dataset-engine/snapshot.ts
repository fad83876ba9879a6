import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { exampleLine } from '../datasets/example-line.ts';
import { fileError, removeLeftovers, writeAtomically } from '../storage/index.ts';
import type { DatasetFile } from './dataset-file.ts';
import { exampleOf } from './example-content.ts';
import type { Snapshot } from './messages.ts';

/** Examples that are read at once, at most. */
const batch = 200;

/** Characters of the fingerprint that files are named by: one in 2⁶⁴ is found by chance. */
const nameLength = 16;

/** Between what is learnt from and what is measured on; JSONL has no such byte. */
const separator = '\0';

interface Side {
  examples: number;
  bytes: number;
}

/** A dataset was changed while it was being written. */
class Changed extends Error {}

/**
 * Writes what is learnt from, and what is measured on, as JSONL into a folder, unless it is there already. The fingerprint is the
 * SHA-256 of the first file, a zero byte and the second file, where a side without examples counts as an empty file. Errors:
 * `disk-full`, `invalid-input` (the folder cannot be written); the signal's reason when it aborts.
 */
export async function writeSnapshot(
  file: DatasetFile,
  folder: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  for (;;) {
    try {
      await mkdir(folder, { recursive: true });
      return await snapshotOf(file, folder, signal);
    } catch (thrown) {
      if (!(thrown instanceof Changed)) throw fileError(thrown, folder);
    }
  }
}

async function snapshotOf(file: DatasetFile, folder: string, signal: AbortSignal): Promise<Snapshot> {
  const { revision } = file;
  const hash = createHash('sha256');
  const measure = async (validation: boolean): Promise<Side> => {
    const side = { examples: 0, bytes: 0 };
    for await (const line of linesOf(file, { validation, revision, signal })) {
      const bytes = Buffer.from(line);
      hash.update(bytes);
      side.examples++;
      side.bytes += bytes.length;
    }
    return side;
  };
  // Twice over everything, as the name is known only then, and a file that is there need not be written again.
  const learnt = await measure(false);
  hash.update(separator);
  const measured = await measure(true);
  const fingerprint = hash.digest('hex');
  const write = async (validation: boolean, { examples, bytes }: Side): Promise<string | null> => {
    if (examples === 0) return null;
    const name = fingerprint.slice(0, nameLength) + (validation ? '.validation.jsonl' : '.jsonl');
    const path = join(folder, name);
    await removeLeftovers(path);
    if ((await sizeOf(path)) !== bytes) {
      await writeAtomically(path, linesOf(file, { validation, revision, signal }), { signal });
    }
    return path;
  };
  return {
    data: await write(false, learnt),
    validationData: await write(true, measured),
    ...{ fingerprint, examples: learnt.examples, validationExamples: measured.examples },
  };
}

/** Lets others have a turn between batches, and throws `Changed` if one of them changed the dataset. */
async function* linesOf(
  file: DatasetFile,
  { validation, revision, signal }: { validation: boolean; revision: number; signal: AbortSignal },
): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    signal.throwIfAborted();
    if (file.revision !== revision) throw new Changed();
    const examples = file.read(after, batch, { validation });
    for (const { id, content } of examples) {
      yield exampleLine(exampleOf(content));
      after = id;
    }
    if (examples.length === 0) return;
    await setImmediate();
  }
}

/** Null where there is no such file. */
async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}
