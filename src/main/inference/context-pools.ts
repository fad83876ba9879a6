import type { LlamaContext, LlamaModel } from 'node-llama-cpp';
import { freemem } from 'node:os';
import { PunaError } from '../../shared/error.ts';
import { ContextPool } from './context-pool.ts';
import type { AdapterFile } from './messages.ts';

/** Conversations and branches whose context survives side by side, where memory allows. */
const mostSequences = 4;
/** Contexts may take this share of the memory that is free once the model is loaded; the rest is for everybody else. */
const memoryShare = 0.5;
/** Choices of adapters that keep a context; a past one costs memory and may never come back. */
const keptPools = 2;

export interface ContextOptions {
  contextSize: number | { min: number; max: number };
  threads: number;
  signal?: AbortSignal;
}

/**
 * The contexts of one model, one for each choice of adapters: llama.cpp fixes adapters when a context is made, and what it
 * has read under other adapters is worth nothing.
 */
export class ContextPools {
  readonly #model: LlamaModel;
  readonly #threads: number;
  /** In the order of their last use. */
  readonly #pools = new Map<string, ContextPool>();
  /** In tokens, of one conversation. */
  readonly contextSize: number;

  private constructor(model: LlamaModel, threads: number, plain: ContextPool) {
    this.#model = model;
    this.#threads = threads;
    this.contextSize = plain.contextSize;
    this.#pools.set(keyOf([]), plain);
  }

  static async create(model: LlamaModel, options: ContextOptions): Promise<ContextPools> {
    return new ContextPools(model, options.threads, await createPool(model, options, []));
  }

  /** The pool for these adapters. Errors: `invalid-input` when one does not fit the model. */
  async get(adapters: AdapterFile[]): Promise<ContextPool> {
    // An adapter of scale 0 changes nothing.
    const active = adapters.filter(({ scale }) => scale !== 0);
    const key = keyOf(active);
    const kept = this.#pools.get(key);
    this.#pools.delete(key);
    if (!kept) await this.#makeRoom();
    const options = { contextSize: this.contextSize, threads: this.#threads };
    const pool = kept ?? (await createPool(this.#model, options, active));
    this.#pools.set(key, pool);
    return pool;
  }

  /** A short-lived context that disturbs no other; the caller disposes it. */
  createSmall(contextSize: number): Promise<LlamaContext> {
    return this.#model.createContext({
      contextSize: Math.min(contextSize, this.contextSize),
      threads: this.#threads,
    });
  }

  async dispose(): Promise<void> {
    for (const pool of this.#pools.values()) await pool.dispose();
    this.#pools.clear();
  }

  async #makeRoom(): Promise<void> {
    const [oldest] = this.#pools;
    if (!oldest || this.#pools.size < keptPools) return;
    this.#pools.delete(oldest[0]);
    await oldest[1].dispose();
  }
}

function keyOf(adapters: AdapterFile[]): string {
  return JSON.stringify(adapters.map(({ path, scale }) => [path, scale]));
}

async function createPool(
  model: LlamaModel,
  { contextSize, threads, signal }: ContextOptions,
  adapters: AdapterFile[],
): Promise<ContextPool> {
  const sequences = await affordableSequences(model, contextSize);
  const options = {
    threads,
    sequences,
    ...(signal && { createSignal: signal }),
    ...(adapters.length > 0 && {
      lora: { adapters: adapters.map(({ path, scale }) => ({ filePath: path, scale })) },
    }),
  };
  try {
    return new ContextPool(await model.createContext({ ...options, contextSize }), sequences);
  } catch (thrown) {
    if (adapters.length === 0) throw thrown;
    const names = adapters.map(({ path }) => path).join(', ');
    throw new PunaError(
      'invalid-input',
      `The adapter ${names} does not fit this model: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      'Choose the model that it was trained on, or switch the adapter off.',
      { cause: thrown },
    );
  }
}

/** How many conversations of this size fit into the free memory side by side. */
async function affordableSequences(
  model: LlamaModel,
  wanted: ContextOptions['contextSize'],
): Promise<number> {
  const contextSize = typeof wanted === 'number' ? wanted : wanted.max;
  const video = await model.llama.getVramState();
  for (let sequences = mostSequences; sequences > 1; sequences /= 2) {
    const { cpuRam, gpuVram } = model.fileInsights.estimateContextResourceRequirements({
      ...{ contextSize, sequences, modelGpuLayers: model.gpuLayers },
    });
    if (cpuRam <= freemem() * memoryShare && gpuVram <= video.free * memoryShare) return sequences;
  }
  return 1;
}
