import type { DatasetCounts, Measures, Model, TrainingSettings } from '../../shared/contract/index.ts';

/** What settings depend on. */
export interface Facts {
  /** That are learnt from, and measured on. */
  examples: number;
  validationExamples: number;
  /** Some are conversations, which lose their ends where they are longer than the context; texts are read in pieces. */
  conversations: boolean;
  /** Of all that is learnt from, once, and of what is measured on. */
  tokens: number;
  validationTokens: number;
  longest: number;
  /** How many examples are at least `from` and less than `to` tokens long. */
  histogram: Measures['histogram'];
  /** Numbers of the model; null where its file does not tell. */
  parameters: number | null;
  /** Longest context that the model was made for, in tokens; null where its file does not tell. */
  contextLength: number | null;
}

/** What datasets and model are together. */
export function factsOf(
  data: readonly { counts: DatasetCounts; measures: Measures }[],
  { parameters, contextLength }: Pick<Model, 'parameters' | 'contextLength'>,
): Facts {
  const total = (of: (one: (typeof data)[number]) => number) => data.reduce((sum, one) => sum + of(one), 0);
  const all = total(({ measures }) => measures.examples);
  const validationExamples = Math.min(
    all,
    total(({ counts }) => counts.validation),
  );
  const allTokens = total(({ measures }) => measures.tokens);
  const validationTokens = all === 0 ? 0 : Math.round((allTokens * validationExamples) / all);
  return {
    ...{ examples: all - validationExamples, validationExamples, validationTokens },
    tokens: allTokens - validationTokens,
    conversations: total(({ counts }) => counts.conversations) > 0,
    longest: data.reduce((most, { measures }) => Math.max(most, measures.longest), 0),
    histogram: data.flatMap(({ measures }) => measures.histogram),
    ...{ parameters, contextLength },
  };
}

/** Share of the examples that may be longer than the context. */
export const lostShare = 0.01;
/** Sequences are whole multiples of so many tokens (`training/plan.ts`). */
const lengthStep = 32;
/** Measuring goes forward only, which is a third of a step: the way back is twice as much work. */
const measuringShare = 1 / 3;

export interface Reading {
  examples: number;
  validationExamples: number;
  /** Tokens of a sequence. */
  length: number;
  /** Sequences of all that is learnt from, and steps of the run. */
  sequences: number;
  steps: number;
  /** Null where nobody knows the speed. */
  seconds: number | null;
  /** More examples than `lostShare` lose their ends. */
  shortened: boolean;
}

/**
 * How the data would be read. Steps are an estimate: what is packed into a sequence is known when it is read. `speed`: places a
 * second, null where it is not known.
 */
export function sequencesOf(facts: Facts, settings: TrainingSettings, speed: number | null = null): Reading {
  const { context, batch, epochs, evaluateEvery } = settings;
  const all = facts.tokens + facts.validationTokens;
  const length = Math.min(
    Math.max(lengthStep, Math.ceil(Math.min(all, context) / lengthStep) * lengthStep),
    context,
  );
  // Without examples of its own to measure on, a run puts a share of them aside.
  const held = facts.validationExamples > 0 ? 0 : heldBack(facts.examples, settings.validation);
  const examples = facts.examples - held;
  const validationExamples = facts.validationExamples + held;
  const share = facts.examples === 0 ? 0 : held / facts.examples;
  const sequences = packed(facts, facts.tokens * (1 - share), length);
  const measured =
    validationExamples === 0 ? 0 : packed(facts, facts.validationTokens + facts.tokens * share, length);
  const steps = settings.steps ?? Math.ceil(epochs * Math.ceil(sequences / batch));
  const measurements = 1 + Math.ceil(steps / evaluateEvery);
  const read = settings.steps === null ? epochs * sequences : steps * Math.min(batch, sequences);
  const places = length * (read + measurements * measured * measuringShare);
  return {
    ...{ examples, validationExamples, length, sequences, steps },
    seconds: speed === null ? null : places / speed,
    shortened:
      facts.conversations &&
      longerThan(facts, context) > lostShare * (facts.examples + facts.validationExamples),
  };
}

/** A text counts as one example for each so many tokens. */
const exampleTokens = 256;

/** How much there is to learn from, in examples of the usual size; never less for more of them. */
export function sizeOf({ examples, tokens }: Facts): number {
  return Math.max(1, examples, tokens / exampleTokens);
}

/** Examples that are longer than so many tokens, at most. */
export function longerThan({ histogram, longest }: Facts, tokens: number): number {
  if (longest <= tokens) return 0;
  return histogram.reduce((sum, { to, count }) => sum + (to - 1 > tokens ? count : 0), 0);
}

/** Best fit leaves next to nothing empty, but examples longer than half of a sequence cannot share one. */
function packed(facts: Facts, tokens: number, length: number): number {
  const all = facts.tokens + facts.validationTokens;
  const alone = facts.histogram.reduce((sum, { from, count }) => sum + (from >= length / 2 ? count : 0), 0);
  const share = all === 0 ? 0 : tokens / all;
  return Math.max(1, Math.ceil(tokens / length), Math.round(alone * share));
}

/** As `splitValidation` does it: never all of them. */
function heldBack(examples: number, validation: number): number {
  return Math.max(0, Math.min(Math.round(examples * validation), examples - 1));
}
