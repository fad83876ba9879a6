import type { LlamaGpuType } from 'node-llama-cpp';
import { type ParentPort, useLentFork } from '../../src/main/engine/lent-fork.ts';
import { llama } from '../../src/main/inference/llama.ts';

// An engine that loads llama.cpp as Puna's do, and says what came of it.
const { parentPort } = process as NodeJS.Process & { parentPort: ParentPort };
useLentFork(parentPort);
const outcome: Promise<LlamaGpuType | string> = llama(false).then(
  ({ gpu }) => gpu,
  (error: unknown) => String(error),
);
parentPort.postMessage({ loaded: await outcome });
process.exit();
