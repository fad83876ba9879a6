import {
  type ChatWrapper,
  GeneralChatWrapper,
  InsufficientMemoryError,
  type Llama,
  type LlamaModel,
  resolveChatWrapper,
} from 'node-llama-cpp';
import { basename } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { readModelFile } from '../weights/model-file.ts';
import { ContextPools } from './context-pools.ts';
import { deviceText, llama, threadsFor } from './llama.ts';
import type { LoadedModel as Description, LoadInput } from './messages.ts';

/** A longer context is chosen only by hand: its memory is taken whether it is used or not. */
const longestAutomaticContext = 16_384;

/** A model in memory, with its template and its contexts. */
export class LoadedModel {
  readonly model: LlamaModel;
  readonly template: ChatWrapper;
  readonly pools: ContextPools;
  readonly description: Description;

  private constructor(
    model: LlamaModel,
    template: ChatWrapper,
    pools: ContextPools,
    description: Description,
  ) {
    this.model = model;
    this.template = template;
    this.pools = pools;
    this.description = description;
  }

  /**
   * Loads a model and makes its first context. Errors: `file-missing`, `not-gguf`, `file-damaged`, `unsupported-model`,
   * `out-of-memory`, `invalid-input` (an adapter), `cancelled`.
   */
  static async load(
    { path, settings }: LoadInput,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (share: number) => void },
  ): Promise<LoadedModel> {
    const file = await readModelFile(path);
    if (file.kind === 'adapter') {
      throw new PunaError(
        'invalid-input',
        `${path} is an adapter.`,
        'Load the model that it was made for, and choose it there.',
      );
    }
    const llamaCpp = await llama();
    let model: LlamaModel | null = null;
    try {
      model = await llamaCpp.loadModel({
        modelPath: file.path,
        gpuLayers: settings.gpuLayers ?? 'auto',
        loadSignal: signal,
        onLoadProgress: onProgress,
      });
      const contextSize = settings.contextSize ?? {
        min: Math.min(512, model.trainContextSize),
        max: Math.min(model.trainContextSize, longestAutomaticContext),
      };
      const threads = threadsFor(llamaCpp, settings);
      const pools = await ContextPools.create(model, { contextSize, threads, signal });
      const template = resolveChatWrapper(model) ?? new GeneralChatWrapper();
      return new LoadedModel(model, template, pools, await describe(llamaCpp, model, pools, threads));
    } catch (thrown) {
      await model?.dispose();
      throw loadError(thrown, { path, signal, architecture: file.architecture });
    }
  }

  async dispose(): Promise<void> {
    await this.pools.dispose();
    await this.model.dispose();
  }
}

async function describe(
  llamaCpp: Llama,
  model: LlamaModel,
  pools: ContextPools,
  threads: number,
): Promise<Description> {
  const { gpuLayers } = model;
  const layers = model.fileInsights.totalLayers;
  const device = await deviceText(llamaCpp, { gpuLayers, layers, threads });
  return { device, contextSize: pools.contextSize, gpuLayers, threads };
}

function loadError(
  thrown: unknown,
  { path, signal, architecture }: { path: string; signal: AbortSignal; architecture: string | null },
): PunaError {
  const cause = { cause: thrown };
  if (thrown instanceof PunaError) return thrown;
  if (signal.aborted) return new PunaError('cancelled', 'Loading was cancelled.', '', cause);
  const name = basename(path);
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof InsufficientMemoryError || /memory|VRAM/i.test(said)) {
    const remedy = 'Close other programs, choose a smaller context, or take a smaller model or quantization.';
    return new PunaError('out-of-memory', `There is too little free memory for ${name}.`, remedy, cause);
  }
  return new PunaError(
    'unsupported-model',
    `llama.cpp cannot load ${name} (architecture ${architecture ?? 'unknown'}): ${said}`,
    'The file may be damaged, or of a kind that this version of Puna does not know yet. Download it again, or take another model.',
    cause,
  );
}
