/** Lists of layers as Hugging Face's models call them: `model.layers.3.…`, `transformer.h.3.…`, `encoder.block.3.…`. */
const layerName = /^((?:.*?\.)?(?:layers|layer|h|blocks|block)\.)(\d+)\.(.+)$/;

export interface LayerName {
  /** Of all layers of that list, with the dot before the number. */
  readonly prefix: string;
  readonly index: number;
  /** Within the layer. */
  readonly part: string;
}

/** Where a tensor stands among layers; undefined for one outside of them. */
export function layerNameOf(name: string): LayerName | undefined {
  const [, prefix = '', index, part = ''] = layerName.exec(name) ?? [];
  return index === undefined ? undefined : { prefix, index: Number(index), part };
}

/** How many layers each list has, by its prefix. */
export function layerCounts(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const layer = layerNameOf(name);
    if (layer) counts.set(layer.prefix, Math.max(counts.get(layer.prefix) ?? 0, layer.index + 1));
  }
  return counts;
}

/** Whether a tensor outside of layers works before them, as embeddings do, and not after them, as the last norm and the head. */
export function isBeforeLayers(name: string): boolean {
  return /embed(?!_out)|\.(wte|wpe)\.|^shared\./.test(name);
}
