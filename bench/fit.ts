import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchChildProcess } from '../src/main/engine/index.ts';
import { Machine } from '../src/main/machine/index.ts';
import { compareFit, fitModels } from '../tests/support/fit.ts';

/**
 * What the estimates of models that fit are worth: each of a set of models, which are built here, is loaded by the engine as for the
 * chat, and the most memory that its process has had (VmHWM) is compared with what was said before. Linux only.
 *
 *     node bench/fit.ts
 */

/** The estimate may be so far from the real memory. */
const wanted = 0.15;
const contexts = [1024, 4096];

const folder = await mkdtemp(join(tmpdir(), 'puna-fit-'));
const machine = new Machine({ dataFolder: folder, launchEngine: launchChildProcess });
const megabytes = (bytes: number) => Math.round(bytes / 1e6);
const rounded = (number: number, digits = 2) => Number(number.toFixed(digits));
try {
  const { bandwidth, threads } = await machine.facts();
  console.log(`${threads} threads, ${rounded((bandwidth?.cpu ?? 0) / 1e9, 1)} GB/s`);
  const rows: Record<string, unknown>[] = [];
  let worst = 0;
  for (const [model, build] of Object.entries(fitModels)) {
    const path = await build(join(folder, 'model.gguf'));
    for (const context of contexts) {
      const { fit, estimated, measured, ratioOfModel, tokensPerSecond } = await compareFit(
        machine,
        path,
        context,
      );
      worst = Math.max(worst, Math.abs(estimated / measured - 1));
      rows.push({
        ...{ model, context, conversations: fit.conversations },
        ...{ 'estimated MB': megabytes(estimated), 'measured MB': megabytes(measured) },
        ...{ ratio: rounded(estimated / measured, 3), 'without process': rounded(ratioOfModel, 3) },
        'expected tokens/s': rounded(fit.tokensPerSecond ?? 0, 0),
        'tokens/s': rounded(tokensPerSecond, 0),
      });
    }
    await rm(path);
  }
  console.table(rows);
  console.log(`wanted: within ${100 * wanted} %; the furthest is ${rounded(100 * worst, 1)} % away`);
  if (worst > wanted) process.exitCode = 1;
} finally {
  await machine.close();
  await rm(folder, { recursive: true, force: true });
}
