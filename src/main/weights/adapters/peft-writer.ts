import { type FolderFile, type ResumableOptions, writeFolderResumably } from '../../storage/index.ts';
import { ggufHeader } from '../formats/gguf.ts';
import { inAlignedOrder, safetensorsHeader } from '../formats/safetensors-writer.ts';
import { safetensorsType } from '../formats/safetensors-types.ts';
import { bytesOf, type Tensor, tensorTypes } from '../formats/tensor.ts';
import { bytesUnit, tensorUnit } from '../outputs/tensor-units.ts';
import { renamed, retyped } from '../tensors/views.ts';
import { type Adapter, embeddingName } from './adapter.ts';
import type { PeftConfig } from './peft-config.ts';
import { configFor } from './peft-config-for.ts';
import { keptKeys, peftFiles } from './peft-reader.ts';
import { transposed } from './transposed.ts';

/** What a PEFT folder of an adapter will be. */
export interface AdapterFolder {
  readonly config: PeftConfig;
  /** Under PEFT's names. */
  readonly tensors: readonly Tensor[];
  /** Texts for the safetensors file: also what a GGUF adapter said that PEFT has no place for, so that nothing is lost. */
  readonly texts: ReadonlyMap<string, string>;
  /** Of the weights' file. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

/**
 * Says what `writeAdapterPeft` would write, without reading tensors. Numbers stay in their type; quantized ones become F32.
 * What GGUF's metadata says besides goes into the safetensors file's metadata (`puna.gguf`, in base64), which PEFT passes over.
 */
export function planAdapterPeft(adapter: Adapter): AdapterFolder {
  const { modules, metadata, heads } = adapter;
  const halves = [...modules].flatMap(([weight, { a, b }]) => namedHalves(weight, plain(a), plain(b)));
  const tensors = inAlignedOrder(halves);
  const texts = new Map([
    ['format', 'pt'],
    ...(metadata.size > 0 ? [[keptKeys.gguf, inBase64(ggufHeader({ metadata, tensors: [] }))] as const] : []),
    ...(heads ? [[keptKeys.heads, JSON.stringify(heads)] as const] : []),
  ]);
  const quantized = [...modules.values()].some(({ a, b }) => a.type.blockSize > 1 || b.type.blockSize > 1);
  return {
    ...{ config: configFor(adapter), tensors, texts },
    bytes: tensors.reduce(
      (sum, tensor) => sum + bytesOf(tensor),
      safetensorsHeader(tensors, texts).byteLength,
    ),
    notes: [
      ...adapter.notes,
      ...(quantized ? ['The adapter is quantized, which PEFT does not know: its numbers become F32.'] : []),
    ],
  };
}

/** Writes an adapter as PEFT saves it, into a new folder. Errors: those of `writeFolderResumably`. */
export async function writeAdapterPeft(
  adapter: Adapter,
  folder: string,
  options: ResumableOptions,
): Promise<AdapterFolder> {
  const plan = planAdapterPeft(adapter);
  const { config, tensors, texts, bytes } = plan;
  const none = new Uint8Array();
  const weights: FolderFile = {
    ...{ name: peftFiles.safetensors, bytes },
    content: {
      units: [
        bytesUnit(safetensorsHeader(tensors, texts)),
        ...tensors.map((tensor) =>
          tensorUnit(tensor, { padding: none, name: tensor.name, after: undefined }),
        ),
      ],
    },
  };
  const description: FolderFile = {
    ...{ name: peftFiles.config, bytes: 0 },
    content: { pieces: () => ({ pieces: [`${JSON.stringify(config, null, 2)}\n`] }) },
  };
  await writeFolderResumably(folder, [weights, description], options);
  return plan;
}

/** What safetensors has no type for becomes F32. */
function plain(tensor: Tensor): Tensor {
  return safetensorsType(tensor.type.name) ? tensor : retyped(tensor, tensorTypes.F32);
}

function namedHalves(weight: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const module = `base_model.model.${weight.slice(0, -'.weight'.length)}`;
  if (weight !== embeddingName) {
    return [renamed(a, `${module}.lora_A.weight`), renamed(b, `${module}.lora_B.weight`)];
  }
  return [
    renamed(transposed(b), `${module}.lora_embedding_A`),
    renamed(transposed(a), `${module}.lora_embedding_B`),
  ];
}

function inBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
