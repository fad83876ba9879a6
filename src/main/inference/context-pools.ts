import type { LlamaContext, LlamaEmbeddingContext, LlamaModel } from 'node-llama-cpp';
import { readModelFile } from '../weights/model-file.ts';
import { type AdapterBase, refuseUnfit } from '../weights/adapters/fit.ts';
import { inOrderOfSequences } from './batch-order.ts';
import { ContextPool } from './context-pool.ts';
import { adapterError, contextError } from './load-error.ts';
import type { AdapterFile } from './messages.ts';

/** Conversations and branches whose context survives side by side, where memory allows. */
const mostSequences = 4;
/**
 * Texts for other programs that are written side by side, where memory allows. Each more makes all slower; beyond this the sum
 * grows little on computers that people have.
 */
const mostShared = 8;
/** Contexts may take this share of the memory that is free once the model is loaded; the rest is for everybody else. */
const memoryShare = 0.5;
/** Choices of adapters that keep a context; a past one costs memory and may never come back. */
const keptPools = 2;

export interface ContextOptions {
  contextSize: number | { min: number; max: number };
  threads: number;
  signal?: AbortSignal;
}

export interface ContextPoolsOptions extends ContextOptions {
  /** The model's file. */
  base: AdapterBase;
}

/**
 * The contexts of one model, one for each choice of adapters: llama.cpp fixes adapters when a context is made, and what it
 * has read under other adapters is worth nothing.
 */
export class ContextPools {
  readonly #model: LlamaModel;
  readonly #base: AdapterBase;
  readonly #threads: number;
  /** In the order of their last use. */
  readonly #pools = new Map<string, ContextPool>();
  /** In tokens, of one conversation. */
  readonly contextSize: number;
  /** Called where memory is short, to free what is worth less than a reply. */
  onShort: () => Promise<void> = async () => undefined;

  private constructor(model: LlamaModel, { base, threads }: ContextPoolsOptions, plain: ContextPool) {
    this.#model = model;
    this.#base = base;
    this.#threads = threads;
    this.contextSize = plain.contextSize;
    this.#pools.set(keyOf([]), plain);
  }

  /** Errors: `InsufficientMemoryError` and others of node-llama-cpp. */
  static async create(model: LlamaModel, options: ContextPoolsOptions): Promise<ContextPools> {
    const sequences = await affordableSequences(model, options.contextSize, mostSequences);
    return new ContextPools(model, options, await createPool(model, { ...options, sequences }));
  }

  /**
   * The pool for these adapters. Errors: `invalid-input` (an adapter does not fit the model, or was trained on another), `out-of-memory`, and those of
   * `readModelFile` for an adapter's file.
   */
  async get(adapters: readonly AdapterFile[]): Promise<ContextPool> {
    // An adapter of scale 0 changes nothing.
    const active = adapters.filter(({ scale }) => scale !== 0);
    const key = keyOf(active);
    const pool = this.#pools.get(key) ?? (await this.#create(active));
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    return pool;
  }

  /**
   * A pool beside these, for texts that are written side by side; the caller disposes it. Errors: those of `get`; there is
   * `out-of-memory` only where not even one of them has room when the past of conversations is forgotten.
   */
  async createShared(adapters: readonly AdapterFile[]): Promise<ContextPool> {
    const active = adapters.filter(({ scale }) => scale !== 0);
    await this.#refuseUnfit(active);
    return this.#createWithRoom(active, mostShared);
  }

  /** Vectors instead of words; the caller disposes it. Errors: `out-of-memory`. */
  async createEmbedding(contextSize: number): Promise<LlamaEmbeddingContext> {
    const options = { contextSize, batchSize: contextSize, threads: this.#threads };
    try {
      return await this.#model.createEmbeddingContext(options);
    } catch (thrown) {
      throw await contextError(thrown);
    }
  }

  /** A short-lived context that disturbs no other; the caller disposes it. Errors: `out-of-memory`. */
  async createSmall(contextSize: number): Promise<LlamaContext> {
    const options = { contextSize: Math.min(contextSize, this.contextSize), threads: this.#threads };
    try {
      return await this.#model.createContext(options);
    } catch (thrown) {
      throw await contextError(thrown);
    }
  }

  async dispose(): Promise<void> {
    for (const pool of this.#pools.values()) await pool.dispose();
    this.#pools.clear();
  }

  async #create(adapters: readonly AdapterFile[]): Promise<ContextPool> {
    await this.#refuseUnfit(adapters);
    await this.#keep(keptPools - 1);
    return this.#createWithRoom(adapters, mostSequences);
  }

  async #refuseUnfit(adapters: readonly AdapterFile[]): Promise<void> {
    for (const { path, anyBase = false } of adapters) {
      refuseUnfit(await readModelFile(path), this.#base, { anyBase });
    }
  }

  /** A pool of as many sequences as memory affords; of one where others must make room for it. */
  async #createWithRoom(adapters: readonly AdapterFile[], most: number): Promise<ContextPool> {
    const options = { contextSize: this.contextSize, threads: this.#threads };
    try {
      const sequences = await affordableSequences(this.#model, this.contextSize, most);
      return await createPool(this.#model, { ...options, sequences }, adapters);
    } catch (thrown) {
      const error = await adapterError(
        thrown,
        adapters.map(({ path }) => path),
      );
      if (error.code !== 'out-of-memory') throw error;
    }
    // The others' past is worth less than this reply.
    if (most === mostSequences) await this.onShort();
    await this.#keep(0);
    try {
      return await createPool(this.#model, { ...options, sequences: 1 }, adapters);
    } catch (thrown) {
      throw await contextError(thrown);
    }
  }

  /** Frees the pools that were used longest ago, but for so many. */
  async #keep(count: number): Promise<void> {
    for (const [key, pool] of [...this.#pools].slice(0, Math.max(0, this.#pools.size - count))) {
      this.#pools.delete(key);
      await pool.dispose();
    }
  }
}

function keyOf(adapters: readonly AdapterFile[]): string {
  // An adapter that is no longer allowed must not be found in use.
  return JSON.stringify(adapters.map(({ path, scale, anyBase = false }) => [path, scale, anyBase]));
}

async function createPool(
  model: LlamaModel,
  { contextSize, threads, signal, sequences }: ContextOptions & { sequences: number },
  adapters: readonly AdapterFile[] = [],
): Promise<ContextPool> {
  const lora = { adapters: adapters.map(({ path, scale }) => ({ filePath: path, scale })) };
  const context = await model.createContext({
    ...{ contextSize, threads, sequences },
    batching: { itemPrioritizationStrategy: inOrderOfSequences },
    ...(signal && { createSignal: signal }),
    ...(adapters.length > 0 && { lora }),
  });
  return new ContextPool(context, sequences);
}

/** How many conversations of this size fit into the free memory side by side. */
async function affordableSequences(
  model: LlamaModel,
  wanted: ContextOptions['contextSize'],
  most: number,
): Promise<number> {
  const contextSize = typeof wanted === 'number' ? wanted : wanted.max;
  const [ram, video] = [await model.llama.getRamState(), await model.llama.getVramState()];
  for (let sequences = most; sequences > 1; sequences /= 2) {
    const { cpuRam, gpuVram } = await model.fileInsights.estimateContextResourceRequirementsV2({
      ...{ contextSize, sequences, modelGpuLayers: model.gpuLayers },
    });
    if (cpuRam <= ram.free * memoryShare && gpuVram <= video.free * memoryShare) return sequences;
  }
  return 1;
}
