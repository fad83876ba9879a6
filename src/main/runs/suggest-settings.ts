import { defaultTrainingSettings, type TrainingSettings } from '../../shared/contract/index.ts';
import { type Facts, longerThan, lostShare, sequencesOf, sizeOf } from './suggest-facts.ts';

/** Settings of a person's own; `undefined` is as if it were not there. */
export type Given = { readonly [Key in keyof TrainingSettings]?: TrainingSettings[Key] | undefined };

/** Shorter sequences save little, and examples of one exchange are some 100 tokens long. */
export const leastContext = 128;
/** Some 3,000 words. Longer conversations lose their last turns rather than that each step takes minutes. */
const longestContext = 4096;
/** Texts are read in pieces: a page at a time. */
const textContext = 512;

/** Sequences of an epoch from which on a step reads several: then there are steps enough, and fewer of them are steadier. */
const sequencesPerBatch = 500;
/** As QLoRA has it (https://arxiv.org/abs/2305.14314, table 9); larger batches cost LoRA quality (https://thinkingmachines.ai/blog/lora/). */
const largestBatch = 16;

/** So many readings of examples there are in a run of few: with some three examples in a sequence that makes 200 steps. */
const wantedReadings = 600;
/** LIMA reads its thousand examples 15 times (https://arxiv.org/abs/2305.11206). Beyond that they are only learnt by heart. */
const mostEpochs = 20;
/** As Alpaca, Vicuna and most recipes since. */
const usualEpochs = 3;
/** From so many examples on, twice, and once: more examples teach more than reading them again (https://arxiv.org/abs/2305.16264). */
const manyExamples = 10_000;
const veryManyExamples = 50_000;

/** Tokens from which on adapters get more room: a rank of 8 holds what a hundred pages say, 16 a shelf. */
const ranks = [
  { tokens: 5_000_000, rank: 32 },
  { tokens: 100_000, rank: 16 },
  { tokens: 0, rank: 8 },
] as const;

/**
 * QLoRA's rates are 2e-4 for 7 and 13 billion numbers and 1e-4 for 33 and 65; small models take more, with about the same
 * slope (https://tinker-docs.thinkingmachines.ai/supervised-learning/sl-hyperparams).
 */
const usualRate = { parameters: 7e9, rate: 2e-4, slope: 0.3 };
/** Beyond that even models of a few million numbers become unsteady. */
const highestRate = 2e-3;
/** Runs of at most so many steps take half as much again (https://thinkingmachines.ai/blog/lora/). */
const shortRun = { steps: 300, factor: 1.5 };

/** Share of the steps in which the rate rises. */
const warmupShare = 0.04;
/** Measurements, copies for sample replies and checkpoints of a run. */
const measurements = 10;
const samples = 5;
const checkpoints = 20;
/** A checkpoint is not written more often than so many steps: it is as large as the adapter three times over. */
const leastCheckpointEvery = 10;
/** A run that has not improved for so many of its measurements will not. */
const patience = 3;

/** Nobody should have to leave the machine on for more than a night; in seconds. */
const longestSeconds = 8 * 3600;

/** The settings of a run. `mostContext`: what memory allows; `tokensPerSecond`: null where it is not known. */
export function settingsFor(
  facts: Facts,
  given: Given,
  {
    mostContext = Infinity,
    tokensPerSecond = null,
  }: { mostContext?: number; tokensPerSecond?: number | null } = {},
): TrainingSettings {
  const there = Object.entries(given).filter(([, value]) => value !== undefined);
  const withGiven = (chosen: Partial<TrainingSettings>): TrainingSettings => ({
    ...defaultTrainingSettings,
    ...chosen,
    ...(Object.fromEntries(there) as Partial<TrainingSettings>),
  });
  const { rank } = withGiven({ rank: rankFor(facts) });
  const first = { rank, alpha: 2 * rank, context: Math.min(contextFor(facts), mostContext) };
  const { batch } = withGiven({ batch: batchFor(sequencesOf(facts, withGiven(first)).sequences) });
  // A number of steps takes as long however often the data is read.
  const speed = withGiven({}).steps === null ? tokensPerSecond : null;
  // Measurements take time as well.
  const reading = (epochs: number): Partial<TrainingSettings> => {
    const read = { ...first, batch, epochs };
    return { ...read, evaluateEvery: every(sequencesOf(facts, withGiven(read)).steps, measurements) };
  };
  const epochs = epochsFor(facts, (count) => sequencesOf(facts, withGiven(reading(count)), speed).seconds);
  const { steps, validationExamples } = sequencesOf(facts, withGiven({ ...first, batch, epochs }));
  return withGiven({
    ...reading(epochs),
    ...{ learningRate: rateFor(facts, steps), warmup: Math.ceil(steps * warmupShare) },
    checkpointEvery: Math.max(leastCheckpointEvery, every(steps, checkpoints)),
    sampleEvery: every(steps, samples),
    patience: validationExamples > 0 ? patience : null,
  });
}

/** As short as nearly all examples are, in powers of two. */
function contextFor(facts: Facts): number {
  const most = Math.min(
    facts.conversations ? longestContext : textContext,
    Math.max(leastContext, facts.contextLength ?? Infinity),
  );
  const lost = lostShare * (facts.examples + facts.validationExamples);
  let context = leastContext;
  while (2 * context <= most && longerThan(facts, context) > lost) context *= 2;
  return Math.min(context, facts.contextLength ?? Infinity);
}

function batchFor(sequences: number): number {
  const wanted = Math.max(1, sequences / sequencesPerBatch);
  return Math.min(largestBatch, 2 ** Math.floor(Math.log2(wanted)));
}

/** Never more for more examples; and as many as there is time for, but at least one. */
function epochsFor(facts: Facts, secondsFor: (epochs: number) => number | null): number {
  const size = sizeOf(facts);
  let epochs = Math.min(mostEpochs, Math.max(usualEpochs, Math.round(wantedReadings / size)));
  if (size > manyExamples) epochs = size > veryManyExamples ? 1 : 2;
  while (epochs > 1 && (secondsFor(epochs) ?? 0) > longestSeconds) epochs--;
  return epochs;
}

function rankFor({ tokens }: Facts): number {
  return ranks.find((step) => tokens >= step.tokens)?.rank ?? 8;
}

/** With one digit, as people write it. */
function rateFor({ parameters }: Facts, steps: number): number {
  const { rate, slope, parameters: usual } = usualRate;
  const forModel = parameters === null ? rate : rate * (usual / Math.max(1, parameters)) ** slope;
  const forRun = forModel * (steps <= shortRun.steps ? shortRun.factor : 1);
  return Number(Math.min(highestRate, forRun).toPrecision(1));
}

/** Steps between so many times of a run. */
function every(steps: number, times: number): number {
  return Math.max(1, Math.round(steps / times));
}
