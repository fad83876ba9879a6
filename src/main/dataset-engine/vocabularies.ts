import type { LlamaModel } from 'node-llama-cpp';
import { stat } from 'node:fs/promises';
import { llama } from '../inference/llama.ts';
import { loadError } from '../inference/load-error.ts';
import { fileError } from '../storage/index.ts';

interface Held {
  key: string;
  model: Promise<LlamaModel>;
  users: number;
}

/** A model of which only the vocabulary is loaded, and what tells it from every other one. */
export interface Vocabulary {
  key: string;
  model: LlamaModel;
}

/** Keeps the vocabulary that was asked for last, since a person looks at one example after the other. */
export class Vocabularies {
  #held: Held | null = null;

  /** Errors: `file-missing`, `unsupported-model`, `out-of-memory`, and those of `work`. */
  async use<Result>(path: string, work: (vocabulary: Vocabulary) => Promise<Result>): Promise<Result> {
    const key = await identity(path);
    const before = this.#held;
    const held = before?.key === key ? before : { key, model: load(path), users: 0 };
    this.#held = held;
    held.users++;
    try {
      // Together: somebody must wait for a model that cannot be loaded, all the while that another one is freed.
      const [model] = await Promise.all([held.model, before && before !== held && this.#leave(before)]);
      return await work({ key, model });
    } finally {
      held.users--;
      await this.#leave(held);
    }
  }

  async dispose(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held) await this.#leave(held);
  }

  /** Frees what nobody uses any more, and what could not be loaded. */
  async #leave(held: Held): Promise<void> {
    if (held.users > 0) return;
    const model = await held.model.catch(() => null);
    if (model === null && this.#held === held) this.#held = null;
    // Someone may have come meanwhile.
    if (held !== this.#held && held.users === 0 && model && !model.disposed) await model.dispose();
  }
}

/** Changes when the file does. */
async function identity(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return JSON.stringify([path, size, mtimeMs]);
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

async function load(path: string): Promise<LlamaModel> {
  const signal = new AbortController().signal;
  try {
    return await (await llama(false)).loadModel({ modelPath: path, vocabOnly: true, gpuLayers: 0 });
  } catch (thrown) {
    throw await loadError(thrown, { path, signal, architecture: null });
  }
}
