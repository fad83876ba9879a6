import { LlamaGrammarEvaluationState } from 'node-llama-cpp';
import { PunaError } from '../../shared/error.ts';
import { llama } from './llama.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { CompletionInput, ReplyEvent, ReplyResult } from './messages.ts';
import { buildPrompt, type Prompt } from './prompt.ts';
import { isBegun, rememberReply } from './reply.ts';
import type { Borrowing } from './shared-sequences.ts';
import type { ThoughtStyle } from './thought-style.ts';
import { write } from './writing.ts';

interface Job extends Borrowing {
  clearance: () => Promise<void>;
  emit: (event: ReplyEvent) => void;
}

/** A text that is written on as it stands has no thoughts to be told apart. */
const noThoughts: ThoughtStyle = {
  ...{ marks: [], opening: '', between: '', plain: '', skipping: '', special: false },
};

/**
 * Writes a text for another program, beside others. Errors: `invalid-input` (too long a prompt, an adapter that does not fit, a
 * grammar that cannot be read), `out-of-memory`, `cancelled` (before it has begun).
 */
export async function complete(
  loaded: LoadedModel,
  input: CompletionInput,
  { signal, clearance, exclusively, emit }: Job,
): Promise<ReplyResult> {
  const since = performance.now();
  const { sampling } = input;
  const { prompt, continued, begun } = promptOf(loaded, input);
  const grammar = await grammarState(loaded, input.grammar);
  const { sequence, pace, place, together, giveBack } = await loaded.shared.lend(
    input.adapters,
    prompt.tokens,
    {
      ...{ signal, exclusively },
    },
  );
  const cleared = async () => {
    await clearance();
    await together();
  };
  try {
    const written = await write(loaded, {
      ...{ prompt, sequence, pace, place, sampling, begun, grammar, clearance: cleared, since, signal, emit },
    });
    if (continued !== undefined) rememberReply(loaded, { continued, before: prompt.tokens, written });
    return written.result;
  } finally {
    giveBack();
  }
}

function promptOf(
  loaded: LoadedModel,
  { prompt: wanted, stop }: CompletionInput,
): { prompt: Prompt; continued?: { text: string; thinking: string } | null; begun: boolean } {
  const { contextSize } = loaded.pools;
  if ('text' in wanted) return { prompt: textPrompt(loaded, wanted.text, stop, contextSize), begun: true };
  const prompt = buildPrompt(loaded, wanted, contextSize, { whole: true });
  return {
    prompt: { ...prompt, stopTexts: [...prompt.stopTexts, ...stop] },
    continued: wanted.continued,
    begun: isBegun(wanted.continued),
  };
}

function textPrompt(
  { tokenizer, model }: LoadedModel,
  text: string,
  stopTexts: string[],
  contextSize: number,
): Prompt {
  const tokens = tokenizer.tokenize([{ text, by: 'template' }]);
  const [first] = model.tokenize('\n');
  // There must be something to go on from.
  if (tokens.length === 0 && first !== undefined) tokens.push(model.tokens.bos ?? first);
  if (tokens.length >= contextSize) {
    throw new PunaError(
      'invalid-input',
      `The prompt is too long: it has ${tokens.length} tokens, and ${contextSize - 1} fit.`,
      'Shorten it, or load the model with a longer context.',
    );
  }
  return {
    ...{ tokens, stopTexts, stopTokens: new Set(), thoughts: noThoughts },
    ...{ begins: 'text', droppedTurns: 0 },
  };
}

async function grammarState(
  { model }: LoadedModel,
  source: string | null,
): Promise<LlamaGrammarEvaluationState | undefined> {
  if (source === null) return undefined;
  try {
    const grammar = await (await llama()).createGrammar({ grammar: source });
    return new LlamaGrammarEvaluationState({ model, grammar });
  } catch (thrown) {
    throw new PunaError(
      'invalid-input',
      'llama.cpp cannot hold a reply to this schema.',
      'Use a simpler one.',
      { cause: thrown },
    );
  }
}
