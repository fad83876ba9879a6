import { readFileSync } from 'node:fs';
import { automaticLoadSettings, type Fit } from '../../src/shared/contract/index.ts';
import type { Machine } from '../../src/main/machine/index.ts';
import { greedy, TestEngine } from './inference.ts';
import { buildTinyModel } from './models.ts';
import { benchShapes, type ModelShape } from './tiny-model.ts';
import { buildRecurrentModel, buildSlidingWindowModel } from './tiny-memory-models.ts';

const wide: ModelShape = {
  ...{ layers: 16, embedding: 640, heads: 10, kvHeads: 2, feedForward: 1792, contextLength: 8192 },
};
const llama = (name: keyof typeof benchShapes, tensorType: 'Q8_0' | 'F16' | 'Q4_K') => (path: string) =>
  buildTinyModel(path, { shape: benchShapes[name], tensorType, vocabularySize: 32_000 });

/** Models of which is measured what they take: each has something else that takes most. */
export const fitModels: Record<string, (path: string) => Promise<string>> = {
  'llama, 134 M, Q8_0, every head its own keys': llama('134M', 'Q8_0'),
  'llama, 128 M, F16': llama('128M', 'F16'),
  'llama, 134 M, Q4_K, put in another order': llama('134M', 'Q4_K'),
  'llama, 376 M, Q8_0': llama('376M', 'Q8_0'),
  'llama, 264 M, Q8_0, 151,000 tokens': (path) =>
    buildTinyModel(path, { shape: wide, tensorType: 'Q8_0', vocabularySize: 151_000 }),
  'gemma3, 132 M, Q8_0, sliding windows': (path) =>
    buildSlidingWindowModel(path, {
      shape: { ...wide, layers: 18, kvHeads: 10 },
      ...{ tensorType: 'Q8_0', vocabularySize: 32_000, window: 512 },
    }),
  'mamba, 108 M, Q8_0, a state instead of keys': (path) =>
    buildRecurrentModel(path, {
      shape: { ...wide, layers: 16, embedding: 768 },
      ...{ tensorType: 'Q8_0', vocabularySize: 32_000 },
    }),
};

export interface Compared {
  fit: Fit;
  /** What the estimate says that the engine will be seen to take at most, and what it took, in bytes. */
  estimated: number;
  measured: number;
  /** The same without what the engine's process takes by itself. */
  ratioOfModel: number;
  tokensPerSecond: number;
}

/** Asks what a model will take, then loads it as the chat does, has it read and write, and looks. On Linux only. */
export async function compareFit(machine: Machine, path: string, contextSize: number): Promise<Compared> {
  const fit = await machine.fit({ path, loadSettings: automaticLoadSettings }, { contextSize });
  const engine = new TestEngine();
  try {
    // What fails all the same starts the process.
    await engine.engine.run('countTokens', { text: '' }).catch(() => undefined);
    const bare = memoryOf(engine.engine.pid, 'VmRSS');
    await engine.load(path, { contextSize, gpuLayers: 0 });
    const words = Math.min(1500, Math.floor(contextSize / 2));
    const sampling = { ...greedy, maxTokens: 48 };
    await engine.ask('the people may find water '.repeat(words / 5), { sampling });
    const { tokensPerSecond } = await engine.ask('the people', { sampling });
    const measured = memoryOf(engine.engine.pid, 'VmHWM');
    const estimated = fit.mostBytes + fit.reclaimableBytes;
    return {
      ...{ fit, estimated, measured, tokensPerSecond },
      ratioOfModel: (estimated - bare) / (measured - bare),
    };
  } finally {
    await engine.stop();
  }
}

/** A line of what Linux tells of a process, in bytes. */
function memoryOf(pid: number | undefined, line: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1024;
}
