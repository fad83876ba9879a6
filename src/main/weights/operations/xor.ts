import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { peakMemoryBytes } from '../../engine/peak-memory.ts';
import { discardBegunFolder } from '../../storage/index.ts';
import { xorBytes, writeXor } from '../delta/xor.ts';
import type { WeightsOperation, WeightsPlan, WeightsProof, WeightsResult } from '../messages.ts';
import { folderOrFileBytes } from './bytes.ts';
import { isGoneOnWith } from './failure.ts';
import { freeBytes, refuseExisting, refuseWithoutSpace } from './output.ts';
import { isGgufPath, nameOf } from './paths.ts';
import { prepareConvert } from './prepare-convert.ts';
import { type RunOptions, runPrepared, usualBytesPerSecond } from './run.ts';
import { signatureOf } from './signature.ts';

type ApplyOperation = Extract<WeightsOperation, { kind: 'delta-apply' }>;

const proof: WeightsProof = {
  kind: 'exact',
  text: 'Every byte is that of the delta XOR that of the base, and the result is a whole model.',
};

export async function planXor({ delta, out }: ApplyOperation): Promise<WeightsPlan> {
  const bytes = await xorBytes(delta);
  return {
    ...{ bytes, neededBytes: isGgufPath(out) ? 2 * bytes : bytes, freeBytes: await freeBytes(out) },
    ...{ seconds: bytes / usualBytesPerSecond, begunBytes: 0, notes: [] },
  };
}

/** The result is a folder; a GGUF file is converted from one that is removed afterwards. */
export async function runXor(operation: ApplyOperation, options: RunOptions): Promise<WeightsResult> {
  const startedAt = performance.now();
  const { base, delta, out, type } = operation;
  await refuseExisting(out);
  const folder = isGgufPath(out) ? unconverted(out) : out;
  const { bytes: neededBytes } = await planXor(operation);
  await refuseWithoutSpace(operation, { bytes: neededBytes, neededBytes, notes: [] });
  try {
    await rm(unconverted(out), { recursive: true, force: true });
    await writeXor(
      { base, delta, out: folder },
      {
        signature: await signatureOf(operation),
        signal: options.signal,
        onProgress: (done) => options.emit({ type: 'progress', phase: 'writing', done, total: neededBytes }),
      },
    );
    if (folder !== out) {
      const conversion = { kind: 'convert', from: folder, out, type } as const;
      const result = await runPrepared(conversion, (opened) => prepareConvert(conversion, opened), options);
      await rm(folder, { recursive: true, force: true });
      return { ...result, proof, seconds: (performance.now() - startedAt) / 1000 };
    }
  } catch (thrown) {
    if (!isGoneOnWith(thrown)) await discardXor(out);
    throw thrown;
  }
  return {
    ...{ out, bytes: await folderOrFileBytes(out), proof, changes: [], notes: [] },
    seconds: (performance.now() - startedAt) / 1000,
    peakMemoryBytes: peakMemoryBytes(),
  };
}

/** Removes what a try that did not end has left. */
export async function discardXor(out: string): Promise<void> {
  await discardBegunFolder(out);
  await discardBegunFolder(unconverted(out));
  await rm(unconverted(out), { recursive: true, force: true });
}

/** Where the folder lies that is still to be converted. */
function unconverted(out: string): string {
  return join(dirname(out), `.${nameOf(out)}.unconverted`);
}
