import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { openShards } from '../formats/shard-index.ts';
import type { Tensor } from '../formats/tensor.ts';
import { renamed } from '../tensors/views.ts';
import { architectureOfModelType } from './architectures.ts';
import type { HuggingFaceConfig, ModelSource } from './model-source.ts';

/** What a folder has beside its weights and belongs to the model: the tokenizer, templates, settings, licence. */
const belonging = /\.(json|model|txt|jinja|md)$|^(LICENSE|NOTICE|USE_POLICY)/i;
/** The index of shards is written anew, and the configuration is kept apart. */
const notCarried = /\.index\.json$|^(config\.json|adapter_config\.json|puna_delta\.json|params\.json)$/;
/** A tokenizer has tens of megabytes; what is larger is none. */
const maxCarriedBytes = 256 * 1024 * 1024;
const maxConfigBytes = 16 * 1024 * 1024;

/**
 * Opens a folder as Hugging Face publishes models: weights in safetensors or PyTorch files, one or many, config.json and the
 * tokenizer's files. Without config.json it has tensors only. Errors: those of `openShards`, `file-damaged` (config.json).
 */
export async function openHuggingFaceSource(folder: string): Promise<ModelSource> {
  const config = await readConfig(folder);
  const files = await carriedFiles(folder);
  const shards = await openShards(folder);
  const tensors = usualNames(shards.tensors);
  const speaks = [...shards.tensors.keys()].some((name) => languagePart.test(name));
  return {
    ...{ path: folder, layout: 'hugging-face', tensors },
    architecture: architectureOfModelType(modelTypeOf(config)) ?? null,
    description: config && { form: 'hugging-face', config: speaks ? textConfig(config) : config, files },
    notes: [
      ...shards.warnings,
      ...(speaks ? ['Only the part of the model that reads and writes text is used.'] : []),
    ],
    [Symbol.asyncDispose]: () => shards[Symbol.asyncDispose](),
  };
}

/** The configuration of the part that speaks alone, of a model that sees, too. */
function textConfig(whole: HuggingFaceConfig): HuggingFaceConfig {
  const { text_config: text, ...config } = whole;
  const isGemma = config['model_type'] === 'gemma3';
  return {
    ...Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'vision_config')),
    ...(typeof text === 'object' ? text : {}),
    ...(isGemma && { architectures: ['Gemma3ForCausalLM'], model_type: 'gemma3_text' }),
  };
}

/** `model_type` of a configuration; empty where there is none. */
export function modelTypeOf(config: HuggingFaceConfig | null): string {
  const type = config?.['model_type'];
  return typeof type === 'string' ? type : '';
}

/** `config.json` of a folder, or another object of settings; null where there is none. Errors: `file-damaged`. */
export async function readConfig(folder: string, name = 'config.json'): Promise<HuggingFaceConfig | null> {
  const path = join(folder, name);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) return null;
  try {
    if (found.size > maxConfigBytes) throw new Error(`It has ${found.size} bytes.`);
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new PunaError('file-damaged', `${path} is no valid JSON object.`, 'Download the file again.', {
      cause,
    });
  }
}

async function carriedFiles(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(folder)).toSorted()) {
    if (name.startsWith('.') || !belonging.test(name) || notCarried.test(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found?.isFile() && found.size <= maxCarriedBytes) files.set(name, path);
  }
  return files;
}

/** Frequencies of the rotation, which old checkpoints keep and every program computes by itself. */
const computedBuffer = /\.rotary_emb\.inv_freq$/;
/** Models that see keep the one that speaks in a part of its own. */
const languagePart = /^(?:model\.language_model|language_model\.model)\./;

/** Tensors by the names that a model of text only has. */
export function usualNames(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const usual = new Map<string, Tensor>();
  const hasLanguagePart = [...tensors.keys()].some((name) => languagePart.test(name));
  for (const [name, tensor] of tensors) {
    if (computedBuffer.test(name)) continue;
    if (!hasLanguagePart) {
      usual.set(name, tensor);
    } else if (languagePart.test(name)) {
      const plain = name.replace(languagePart, 'model.');
      usual.set(plain, renamed(tensor, plain));
    } else if (/^(language_model\.)?lm_head\./.test(name)) {
      const plain = name.replace(/^language_model\./, '');
      usual.set(plain, renamed(tensor, plain));
    }
  }
  return usual;
}
