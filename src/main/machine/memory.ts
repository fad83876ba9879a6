import { totalmem } from 'node:os';
import type { Bytes, ContextNeeds, ModelNeeds } from '../machine-engine/messages.ts';

export interface Memory {
  total: number;
  free: number;
  limited: boolean;
}

/** What there is for Puna, in bytes; a container may have less than the machine. */
export function memoryNow(): Memory {
  // libuv reads cgroups for both; without a limit, it tells 0 or more than there is.
  const limit = process.constrainedMemory();
  const built = totalmem();
  const limited = limit > 0 && limit < built;
  return { total: limited ? limit : built, free: process.availableMemory(), limited };
}

/** The system and other programs need the rest. */
const usableShare = 0.8;
/** Of the memory of GPUs, which have less else to do. */
const usableVideoShare = 0.95;

export function usableMemory(memory: number, video: number): Bytes {
  return { ram: memory * usableShare, video: video * usableVideoShare };
}

/** An engine process before it loads a model: Node and llama.cpp. Measured. */
const engineBytes = 121e6;
/** What it takes beside weights and contexts when it has answered: templates, tokenizers, the work memory of kernels. Measured. */
const answeringBytes = 45e6;
/** A token of the vocabulary, in llama.cpp and in Puna's own reading of the file. Measured. */
const vocabularyBytes = 940;

/** What the engine takes with a model, in bytes. */
export interface Taken extends Bytes {
  program: number;
  /** Of `ram`: a copy of weights which the system takes back when it needs to. */
  reclaimable: number;
}

export function takenBy(needs: ModelNeeds, context: Bytes): Taken {
  const program = engineBytes + answeringBytes + vocabularyBytes * needs.vocabulary;
  return {
    program,
    reclaimable: needs.copied,
    ram: program + needs.weights.ram + needs.copied + context.ram,
    video: needs.weights.video + context.video,
  };
}

/** What the contexts of so many conversations take, which lies on a line. */
export function contextsOf({ one, four }: ContextNeeds, conversations: number): Bytes {
  const share = (conversations - 1) / 3;
  return {
    ram: one.ram + share * (four.ram - one.ram),
    video: one.video + share * (four.video - one.video),
  };
}

/** Conversations side by side, and the share of the free memory that they may take: as `inference/context-pools.ts` has it. */
const mostConversations = 4;
const contextShare = 0.5;

/** How many conversations Puna will keep in memory where so much is free. */
export function conversationsBeside(needs: ModelNeeds, context: ContextNeeds, free: Bytes): number {
  const { ram, video } = takenBy(needs, { ram: 0, video: 0 });
  const left = { ram: free.ram - ram, video: free.video - video };
  for (let count = mostConversations; count > 1; count /= 2) {
    const wanted = contextsOf(context, count);
    if (wanted.ram <= left.ram * contextShare && wanted.video <= left.video * contextShare) return count;
  }
  return 1;
}
