import { basename } from 'node:path';
import { baseMetadata } from '../weights/base-model.ts';
import { type GgufValue, type TensorToWrite, writeGguf } from '../weights/formats/gguf.ts';
import type { ModelFile } from '../weights/model-file.ts';
import { loraScale } from './lora.ts';
import type { TrainingSettings } from './messages.ts';
import type { ParameterSet } from './parameters.ts';

/** What a trained file says of how it was made. */
export interface TrainingRecord {
  settings: TrainingSettings;
  /** Names of the data files. */
  data: readonly string[];
  dataSha256: string;
  steps: number;
  loss: number | null;
  validationLoss: number | null;
}

/**
 * Writes what was trained as a GGUF file: a LoRA adapter as llama.cpp loads it, or, where all weights were trained, a model.
 * Errors: `disk-full`, and those of writing a file.
 */
export async function writeTrained(
  path: string,
  base: ModelFile,
  parameters: ParameterSet,
  record: TrainingRecord,
): Promise<void> {
  const tensors = parameters.tensors.map((tensor): TensorToWrite => ({
    ...{ name: tensor.name, type: 'F32', shape: trimmed(tensor.value.shape) },
    // Read when its turn comes, so that not all of them are in memory twice.
    *data() {
      yield parameters.read(tensor, 'value');
    },
  }));
  const kind = record.settings.trained === 'all' ? base.metadata : adapterMetadata(base, record.settings);
  const metadata = new Map([...kind, ...recordMetadata(base, record)]);
  await writeGguf(path, { metadata, tensors });
}

function adapterMetadata(base: ModelFile, settings: TrainingSettings): [string, GgufValue][] {
  return [
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.architecture', { type: 'string', value: base.architecture ?? '' }],
    ['general.name', { type: 'string', value: `Adapter of ${base.title ?? basename(base.path)}` }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    // llama.cpp multiplies by alpha / rank, whatever the adapter was trained with.
    ['adapter.lora.alpha', { type: 'float32', value: loraScale(settings) * settings.rank }],
  ];
}

function recordMetadata(base: ModelFile, record: TrainingRecord): [string, GgufValue][] {
  return [...baseMetadata(base), ['puna.training', { type: 'string', value: JSON.stringify(record) }]];
}

/** Without the ones that only fill up to four dimensions. */
export function trimmed(shape: readonly number[]): number[] {
  const used = shape.findLastIndex((length) => length !== 1) + 1;
  return shape.slice(0, Math.max(used, 1));
}
