import { DropoutMasks } from './dropout.ts';
import type { Backend } from '../ggml/index.ts';
import { Lora, loraScale } from './lora.ts';
import { fits, refuseIfTooLarge, type Refusal } from './memory.ts';
import type { TrainingSettings } from './messages.ts';
import type { Decoder, Model, Weights } from './models/index.ts';
import type { ParameterSet } from './parameters.ts';
import { SequenceGraph } from './sequence-graph.ts';

/** The graphs of a run, which are described but take no memory before they are allocated. */
export interface RunGraphs extends Disposable {
  training: SequenceGraph;
  evaluation: SequenceGraph;
  dropout: DropoutMasks | null;
  recompute: boolean;
  bytes: number;
  allocate(): void;
}

export interface RunGraphOptions {
  settings: TrainingSettings;
  /** Tokens of a sequence. */
  length: number;
  /** Layers are computed twice. */
  recompute: boolean;
  /** Something is measured on. */
  evaluates: boolean;
  /** They will only be measured. */
  described?: boolean;
}

export function buildGraphs(
  backend: Backend,
  base: { decoder: Decoder; weights: Weights },
  parameters: ParameterSet,
  { settings, length, recompute, evaluates, described = false }: RunGraphOptions,
): RunGraphs {
  const { dropout: probability } = settings;
  const scale = loraScale(settings);
  const dropout =
    probability > 0 ? new DropoutMasks(backend, { probability, most: 8 * base.decoder.layers }) : null;
  const adapters = (mask: DropoutMasks | null) =>
    settings.trained === 'adapters' ? new Lora(parameters, scale, mask?.of ?? null) : null;
  const model = (mask: DropoutMasks | null): Model => ({ ...base, adapters: adapters(mask) });
  const training = new SequenceGraph(backend, model(dropout), parameters, {
    ...{ length, backward: true, checkpoint: recompute },
  });
  const evaluation = new SequenceGraph(backend, model(null), parameters, {
    ...{ length, backward: false, checkpoint: false },
  });
  dropout?.allocate({ described });
  return {
    ...{ training, evaluation, dropout, recompute },
    bytes: training.measure() + (evaluates ? evaluation.measure() : 0) + (dropout?.bytes ?? 0),
    allocate() {
      training.allocate();
      if (evaluates) evaluation.allocate();
    },
    [Symbol.dispose]() {
      for (const each of [training, evaluation, dropout]) each?.[Symbol.dispose]();
    },
  };
}

/** What is needed beside the graphs, and what there is, in bytes. */
export interface Room {
  otherBytes: number;
  free: number;
}

type Build = (length: number, recompute: boolean) => RunGraphs;

/** The graphs as the settings want them; where the memory would not do and the settings leave it open, with layers computed twice. */
export function chosenGraphs(
  build: Build,
  length: number,
  { settings, otherBytes, free }: Room & { settings: TrainingSettings },
): RunGraphs {
  const graphs = build(length, settings.recompute === 'always');
  if (settings.recompute !== 'auto' || fits(otherBytes + graphs.bytes, free)) return graphs;
  graphs[Symbol.dispose]();
  return build(length, true);
}

/** Errors: `out-of-memory` where these graphs do not fit, with what would. */
export function refuseUnfit(
  graphs: RunGraphs,
  build: Build,
  length: number,
  { otherBytes, free, ...about }: Room & Pick<Refusal, 'device' | 'limited'>,
): void {
  refuseIfTooLarge(otherBytes + graphs.bytes, free, {
    ...about,
    smaller: () =>
      whatWouldFit((shorter) => {
        using smaller = build(shorter, true);
        return fits(otherBytes + smaller.bytes, free);
      }, length),
  });
}

export const smallerModel = 'Choose a smaller model, or a smaller quantization of it.';

/** The longest sequences that would fit, as advice. */
function whatWouldFit(wouldFit: (length: number) => boolean, length: number): string {
  for (let shorter = Math.floor(length / 2); shorter >= 32; shorter = Math.floor(shorter / 2)) {
    if (wouldFit(shorter)) return `It would fit with --context ${shorter} --recompute always.`;
  }
  return smallerModel;
}
