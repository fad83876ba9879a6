import type {
  DatasetCounts,
  Measures,
  Model,
  Suggestion,
  TrainingSettings,
} from '../../shared/contract/index.ts';
import { Engine, type LaunchEngine } from '../engine/index.ts';
import type { EstimateInput, EstimateResult, TrainingJobs } from '../training/messages.ts';
import { factsOf, type Facts, sequencesOf, sizeOf } from './suggest-facts.ts';
import { type Given, leastContext, settingsFor } from './suggest-settings.ts';

/** What a person has chosen: a model, datasets, and perhaps some settings. */
export interface SuggestQuestion {
  model: Pick<Model, 'path' | 'parameters' | 'contextLength'>;
  /** Of each dataset, its counts and its lengths in tokens of that model. */
  data: readonly { counts: DatasetCounts; measures: Measures }[];
  /** Settings that the person has set; they win. */
  given: Given;
  /** The model that the chat holds in memory, which makes room where it must; null: none. */
  chatModel: Pick<Model, 'bytes'> | null;
}

/**
 * What Puna would do, and what that takes, on this machine. Takes a second or two, in an engine process of its own. Errors: those
 * of describing the model (`unsupported-model`, `file-missing`, `file-damaged`…), `cancelled`, `engine-died`.
 */
export async function suggestFor(
  question: SuggestQuestion,
  { launchEngine, signal }: { launchEngine: LaunchEngine; signal: AbortSignal },
): Promise<Suggestion> {
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchEngine });
  try {
    return await suggestWith(question, (input) => engine.run('estimate', input, { signal }));
  } finally {
    await engine.stop();
  }
}

/** The same with whoever estimates: the longest context that has its place in memory, and what comes of it. */
export async function suggestWith(
  { model, data, given, chatModel }: SuggestQuestion,
  estimate: (input: EstimateInput) => Promise<EstimateResult>,
): Promise<Suggestion> {
  const facts = factsOf(data, model);
  const ask = (settings: TrainingSettings, freed: number, speed: boolean) =>
    estimate({
      ...{ model: model.path, settings, freed, speed },
      length: sequencesOf(facts, settings).length,
      evaluates: facts.validationExamples > 0 || settings.validation > 0,
    });
  const chatBytes = chatModel?.bytes ?? 0;
  let settings = settingsFor(facts, given);
  let freed = 0;
  let found = await ask(settings, freed, false);
  // The chat's model makes room before anything is made shorter.
  if (!found.fits && chatBytes > 0) found = await ask(settings, (freed = chatBytes), false);
  while (!found.fits && given.context === undefined && settings.context > leastContext) {
    settings = settingsFor(facts, given, { mostContext: settings.context / 2 });
    found = await ask(settings, freed, false);
  }
  const { tokensPerSecond } = await ask(settings, freed, true);
  return suggest({
    facts,
    given,
    context: settings.context,
    estimate: { ...found, tokensPerSecond },
    chatBytes,
    freed,
  });
}

/** All that a suggestion is made of. */
export interface SuggestParts {
  facts: Facts;
  given: Given;
  /** The longest context that there is memory for. */
  context: number;
  estimate: EstimateResult;
  /** Of the model that the chat holds in memory, and how many of them would be given back. */
  chatBytes: number;
  freed: number;
}

/** The suggestion of what is known. */
export function suggest({ facts, given, context, estimate, chatBytes, freed }: SuggestParts): Suggestion {
  const options = { mostContext: context, tokensPerSecond: estimate.tokensPerSecond };
  const settings = settingsFor(facts, given, options);
  const { steps, seconds, shortened, validationExamples, examples } = sequencesOf(
    facts,
    settings,
    estimate.tokensPerSecond,
  );
  const limit = settings.memoryLimit ?? Infinity;
  const together = freed > 0 || estimate.bytes + chatBytes > limit;
  const warnings: Suggestion['warnings'] = [];
  if (sizeOf(facts) < fewExamples) warnings.push('few-examples');
  if (seconds !== null && seconds > longSeconds) warnings.push('long');
  if (shortened) warnings.push('shortened');
  if (chatBytes > 0 && together && estimate.fits) warnings.push('chat-makes-room');
  if (validationExamples === 0) warnings.push('no-validation');
  return {
    ...{ settings, examples, validationExamples, tokens: facts.tokens, steps, seconds },
    ...{ bytes: estimate.bytes, freeBytes: estimate.freeBytes, fits: estimate.fits, warnings },
  };
}

/** LIMA shows that a thousand good examples teach a manner (https://arxiv.org/abs/2305.11206); of a few dozen, only those are learnt by heart. */
const fewExamples = 30;
/** Longer than one waits beside it. */
const longSeconds = 3600;
