import { GgufInsights, readGgufFileInfo } from 'node-llama-cpp';
import type { LoadSettings } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { llama } from '../inference/llama.ts';
import { type ModelFile, readModelFile } from '../weights/model-file.ts';
import { contextSizes } from './context-sizes.ts';
import type { Bytes, ContextNeeds, DescribeInput, ModelNeeds } from './messages.ts';
import { unusedLogits } from './unused-logits.ts';
import { copiedBytes, weightsRead } from './weights-read.ts';

/** llama.cpp has a list of all tokens even where it only reckons: of longer contexts, in tokens, it is what this one takes, so many times. */
const longestReckoned = 262_144;

/**
 * What a model file takes, as llama.cpp itself reckons it over tensors without memory. Errors: those of `readModelFile`,
 * `invalid-input` (an adapter), `unsupported-model`.
 */
export async function describeModel({ path, settings }: DescribeInput): Promise<ModelNeeds> {
  const file = await readModelFile(path);
  if (file.kind === 'adapter') {
    throw new PunaError(
      'invalid-input',
      `${path} is an adapter.`,
      'Ask for the model that it was made for: an adapter adds hardly anything to it.',
    );
  }
  const llamaCpp = await llama();
  const info = await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false });
  const insights = await GgufInsights.from(info, llamaCpp);
  if (!insights.isSupportedByLlamaCpp) {
    throw new PunaError(
      'unsupported-model',
      `${path} is a kind of model (${file.architecture ?? 'unnamed'}) that this version of Puna cannot run.`,
      'Take another model, or a newer version of Puna.',
    );
  }
  const gpuLayers = await layersOnGpu(insights, settings, llamaCpp.gpu !== false);
  const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers });
  const vocabulary = vocabularyOf(file);
  const contexts: ContextNeeds[] = [];
  for (const contextSize of contextSizes(file.contextLength, settings.contextSize)) {
    const reckoned = Math.min(contextSize, longestReckoned);
    const needs = async (sequences: number): Promise<Bytes> => {
      const { cpuRam, gpuVram } = await insights.estimateContextResourceRequirementsV2({
        ...{ contextSize: reckoned, sequences, modelGpuLayers: gpuLayers },
      });
      const unused = gpuLayers === 0 ? unusedLogits(vocabulary, reckoned * sequences) : 0;
      const scale = contextSize / reckoned;
      return { ram: (cpuRam - unused) * scale, video: gpuVram * scale };
    };
    contexts.push({ contextSize, one: await needs(1), four: await needs(4) });
  }
  return {
    ...{ layers: insights.totalLayers, gpuLayers, vocabulary, contexts },
    contextLength: file.contextLength,
    weights: { ram: model.cpuRam, video: model.gpuVram },
    copied: gpuLayers === 0 ? copiedBytes(file.tensors) : 0,
    read: weightsRead(file),
  };
}

/** As many as the model will be loaded with. */
async function layersOnGpu(
  insights: GgufInsights,
  { gpuLayers, contextSize }: LoadSettings,
  hasGpu: boolean,
): Promise<number> {
  if (!hasGpu || gpuLayers === 0) return 0;
  if (gpuLayers !== null) return Math.min(gpuLayers, insights.totalLayers);
  const fitContext = contextSize === null ? {} : { contextSize };
  return (await insights.configurationResolver.resolveModelGpuLayersV2({ fitContext })).gpuLayers;
}

function vocabularyOf({ metadata }: ModelFile): number {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  return tokens?.type === 'array' ? tokens.value.length : 0;
}
