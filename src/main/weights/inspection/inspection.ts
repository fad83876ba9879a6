import type { WeightsItem } from '../messages.ts';
import type { ShownMetadata } from '../formats/gguf.ts';
import { bytesOf, countOf, type Tensor, type TensorTypeName } from '../formats/tensor.ts';

/** What a file or folder of weights holds, as plain data. What does not apply, or is not told, is null. */
export interface Inspection {
  path: string;
  kind: WeightsItem['kind'];
  layout: WeightsItem['layout'];
  architecture: string | null;
  title: string | null;
  parameters: number | null;
  /** Such as `Q4_K_M` or `BF16`. */
  quantization: string | null;
  /** In tokens. */
  contextLength: number | null;
  hasChatTemplate: boolean | null;
  /** Of a delta or an adapter: what it was made from. */
  base: string | null;
  bytes: number;
  /** Files that the tensors are in. */
  parts: number;
  ggufVersion: number | null;
  /** What the file, or the configuration beside it, tells. */
  metadata: ShownMetadata[];
  /** Most bytes first. */
  tensorTypes: { type: TensorTypeName; tensors: number; parameters: number; bytes: number }[];
  /** In GGUF with the fastest dimension of the shape first, elsewhere with the slowest, as each of them has it. */
  tensors: { name: string; type: TensorTypeName; shape: number[]; bytes: number }[];
}

/** Tensors as an inspection lists and sums them up. */
export function inspectTensors(
  tensors: Iterable<Pick<Tensor, 'name' | 'type' | 'shape'>>,
): Pick<Inspection, 'tensors' | 'tensorTypes'> {
  const all = [...tensors];
  const byType = Map.groupBy(all, ({ type }) => type.name);
  const sum = (group: readonly (typeof all)[number][], of: (tensor: (typeof all)[number]) => number) =>
    group.reduce((total, tensor) => total + of(tensor), 0);
  return {
    tensors: all.map((tensor) => ({
      ...{ name: tensor.name, type: tensor.type.name, shape: [...tensor.shape], bytes: bytesOf(tensor) },
    })),
    tensorTypes: [...byType]
      .map(([type, group]) => ({
        ...{ type, tensors: group.length, parameters: sum(group, countOf), bytes: sum(group, bytesOf) },
      }))
      .toSorted((one, other) => other.bytes - one.bytes),
  };
}
