import type { Fit } from '../../shared/contract/index.ts';
import type { Bytes, Measured, ModelNeeds } from '../machine-engine/messages.ts';
import { expectedSpeed } from './expected-speed.ts';
import { contextsOf, conversationsBeside, takenBy, usableMemory } from './memory.ts';

/** People read some five words a second; tokens are shorter than words. */
const slowTokensPerSecond = 5;

/** What a machine has for models. */
export interface Room {
  /** In bytes. */
  total: Bytes;
  free: Bytes;
  /** Null: not measured yet. */
  speeds: Pick<Measured, 'cpu' | 'gpu'> | null;
}

/** Whether a model fits: with the longest of its contexts that has room, or else with its shortest. */
export function fitOf(needs: ModelNeeds, { total, free, speeds }: Room): Omit<Fit, 'trainingContext'> {
  const usable = usableMemory(total.ram, total.video);
  const needed = needs.contexts.map((context) => {
    const taken = takenBy(needs, context.one);
    return { context, taken, bytes: taken.ram - taken.reclaimable };
  });
  const fitting = needed.find(({ bytes, taken }) => bytes <= usable.ram && taken.video <= usable.video);
  const chosen = fitting ?? needed.at(-1);
  if (!chosen) throw new Error('A model was described without contexts.');
  const { context, taken, bytes } = chosen;
  const conversations = fitting ? conversationsBeside(needs, context, free) : 1;
  const most = takenBy(needs, contextsOf(context, conversations));
  const speed = speeds && expectedSpeed(needs, speeds);
  const isSlow = speed !== null && speed.writing < slowTokensPerSecond;
  return {
    verdict: !fitting ? 'not' : isSlow ? 'slowly' : 'well',
    contextSize: context.contextSize,
    ...{ bytes, videoBytes: taken.video },
    parts: {
      weights: needs.weights.ram + needs.weights.video,
      context: context.one.ram + context.one.video,
      program: taken.program,
    },
    ...{ conversations, mostBytes: most.ram - most.reclaimable, reclaimableBytes: most.reclaimable },
    crowded: fitting !== undefined && (bytes > free.ram || taken.video > free.video),
    ...{ layers: needs.layers, gpuLayers: needs.gpuLayers },
    tokensPerSecond: speed?.writing ?? null,
    readingPerSecond: speed?.reading ?? null,
  };
}
