import { type GgufValue, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { layerMatrices, type ModelShape, tinyShape } from './tiny-model.ts';
import { seededRandom } from './tiny-random.ts';
import { randomMatrix } from './tiny-tensors.ts';

export interface TinyAdapterOptions {
  /** Shape of the model that it is for. */
  shape?: Partial<ModelShape>;
  rank?: number;
  alpha?: number;
  seed?: number;
  name?: string;
}

/** Writes a LoRA of random weights over all matrices of a model's layers, strong enough to change what it says. Gives back the path. */
export async function buildTinyAdapter(path: string, options: TinyAdapterOptions = {}): Promise<string> {
  const { rank = 4, alpha = 8, seed = 1, name = 'Tiny adapter' } = options;
  const shape = { ...tinyShape, ...options.shape };
  const random = seededRandom(seed);
  const metadata: [string, GgufValue][] = [
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.name', { type: 'string', value: name }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'float32', value: alpha }],
  ];
  const tensors = Array.from({ length: shape.layers }, (_, layer) =>
    Object.entries(layerMatrices(shape)).flatMap(([matrix, [columns, rows]]) => {
      const base = `blk.${layer}.${matrix}.weight`;
      return [
        randomMatrix(`${base}.lora_a`, [columns, rank], 'F32', { random, deviation: 1 / Math.sqrt(columns) }),
        randomMatrix(`${base}.lora_b`, [rank, rows], 'F32', { random, deviation: 1 / Math.sqrt(rank) }),
      ];
    }),
  ).flat();
  await writeGguf(path, { metadata: new Map(metadata), tensors });
  return path;
}
