import type { Llama, LlamaModel, Token } from 'node-llama-cpp';
import type { LoadSettings } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { readModelFile } from '../weights/model-file.ts';
import { adapterBase } from '../weights/adapters/fit.ts';
import type { ChatTemplate } from './chat-template.ts';
import { type ContextOptions, ContextPools } from './context-pools.ts';
import { deviceText, llama, threadsFor } from './llama.ts';
import { loadError } from './load-error.ts';
import type { LoadedModel as Description, LoadInput } from './messages.ts';
import { modelTemplate } from './model-template.ts';
import { PromptTokenizer } from './prompt-tokens.ts';
import { ReplyMemory } from './reply-memory.ts';
import { SharedSequences } from './shared-sequences.ts';

/** A longer context is chosen only by hand: its memory is taken whether it is used or not. */
const longestAutomaticContext = 16_384;
/** A shorter one holds no conversation; where there is no memory for it, the model is too large. */
const shortestAutomaticContext = 512;
/** For a model of which nobody knows how long a context it was trained for: all can do this. */
const unknownContext = 2048;

/** A model in memory, with its template and its contexts. */
export class LoadedModel {
  readonly model: LlamaModel;
  readonly template: ChatTemplate;
  readonly tokenizer: PromptTokenizer;
  readonly replies = new ReplyMemory();
  readonly pools: ContextPools;
  /** For texts that are written side by side. */
  readonly shared: SharedSequences;
  readonly description: Description;

  private constructor(model: LlamaModel, pools: ContextPools, description: Description) {
    this.model = model;
    this.template = modelTemplate(model);
    this.tokenizer = new PromptTokenizer(model);
    this.pools = pools;
    this.shared = new SharedSequences(pools);
    this.description = description;
  }

  /** The tokens of a text that the model has written itself. */
  readonly recall = (text: string): Token[] | undefined => this.replies.recall(text);

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
    let model: LlamaModel | null = null;
    try {
      const llamaCpp = await llama();
      model = await llamaCpp.loadModel({
        modelPath: file.path,
        gpuLayers: settings.gpuLayers ?? { fitContext: wantedContext(settings) },
        loadSignal: signal,
        onLoadProgress: onProgress,
      });
      const contextSize = settings.contextSize ?? automaticContext(model);
      const threads = threadsFor(llamaCpp, settings);
      const base = adapterBase(file);
      const pools = await ContextPools.create(model, { base, contextSize, threads, signal });
      return new LoadedModel(model, pools, await describe(llamaCpp, model, pools, threads));
    } catch (thrown) {
      await model?.dispose();
      throw await loadError(thrown, { path, signal, architecture: file.architecture });
    }
  }

  async dispose(): Promise<void> {
    await this.shared.dispose();
    await this.pools.dispose();
    await this.model.dispose();
  }
}

/** What the file says that the model was trained for may be no length at all: 0, or more than llama.cpp can count. */
function automaticContext({ trainContextSize: trained }: LlamaModel): ContextOptions['contextSize'] {
  if (trained <= 0) return unknownContext;
  return {
    min: Math.min(shortestAutomaticContext, trained),
    max: Math.min(trained, longestAutomaticContext),
  };
}

/** The context that is to find room beside the layers on a GPU. */
function wantedContext({ contextSize }: LoadSettings): { contextSize?: number } {
  return contextSize === null ? {} : { contextSize };
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
