import type { GgufMetadata } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import type { WeightsArchitecture } from './architectures.ts';

/** `config.json` of Hugging Face; whoever needs something of it looks at it there. */
export type HuggingFaceConfig = Readonly<Record<string, unknown>>;

/** What says how a model's tensors are computed with, and how text becomes tokens. */
export type ModelDescription =
  | {
      readonly form: 'hugging-face';
      readonly config: HuggingFaceConfig;
      /** The tokenizer's and other small files of the folder, by their names: where they lie. */
      readonly files: ReadonlyMap<string, string>;
    }
  | {
      readonly form: 'gguf';
      readonly metadata: GgufMetadata;
      /** Tensors that only GGUF has, such as factors of the rotation, under its own names. */
      readonly extraTensors: readonly Tensor[];
    };

/** How a model lies on the disk. */
export type ModelLayout = 'gguf' | 'hugging-face' | 'meta';

/**
 * A model as a whole, wherever its tensors lie or whatever they are computed from. Everything that Puna makes of weights is such a
 * source made from other ones, and is computed while it is written.
 */
export interface ModelSource extends AsyncDisposable {
  /** What it was opened from, or what errors call it. */
  readonly path: string;
  readonly layout: ModelLayout;
  /** Null where Puna does not know it: then tensors have the names of their file, and cannot become another layout. */
  readonly architecture: WeightsArchitecture | null;
  /** Under the names of Hugging Face, in the order of its rotary halves, whatever the layout. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Null where there are tensors only, as in a lone file of them. */
  readonly description: ModelDescription | null;
  /** What a person should know of how it was read, one sentence each. */
  readonly notes?: readonly string[];
}
