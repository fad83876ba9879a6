import type { LayerChange, WeightsProof } from '../messages.ts';
import type { AfterTensor, SaidOfTensors, Trailer } from '../outputs/tensor-units.ts';
import type { ModelSource } from '../sources/model-source.ts';

/** A model that is ready to be written: what it is computed from lies open. */
export interface Prepared {
  source: ModelSource;
  /** What is read beside the inputs that the operation names. */
  further?: readonly string[];
  after?: AfterTensor;
  trailers?: readonly Trailer[];
  /** Packs a folder's weights. */
  compress?: boolean;
  /** It is called as its source is, because it is the same model. What is made of others is called by its file. */
  keepsName?: boolean;
  /** What the person should know, one sentence each. */
  notes: readonly string[];
  /** How much is changed, layer by layer. Asked once everything is written, as is the proof. */
  changes(said: SaidOfTensors): LayerChange[];
  prove(said: SaidOfTensors): WeightsProof;
  /** Kept in a GGUF file: what it was made from. */
  madeFrom: MadeFrom;
}

/** How a model was made, as its file tells. Names, not paths: a file may be given to others. */
export interface MadeFrom {
  operation: string;
  inputs: Readonly<Record<string, string>>;
}

/** For what changes no model. */
export const noChanges = (): LayerChange[] => [];

/** For results that nothing else can be compared with. */
export const nothingToCompare: WeightsProof = {
  kind: 'none',
  text: 'There is nothing to compare the result with.',
};
