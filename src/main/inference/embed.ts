import { PunaError } from '../../shared/error.ts';
import type { LoadedModel } from './loaded-model.ts';
import { cancelledError } from './side-work.ts';

/** One context at a time: each has memory for the longest of its texts. */
let turn: Promise<unknown> = Promise.resolve();

/** Tokens that the model may add around a text. */
const added = 2;

interface Job {
  signal: AbortSignal;
  clearance: () => Promise<void>;
}

/**
 * A vector of length 1 for each text: what llama.cpp pools of it, which is the last token's state in models that were not made
 * for this. Errors: `invalid-input` (too long a text), `out-of-memory`, `cancelled`.
 */
export function embed(
  loaded: LoadedModel,
  texts: readonly string[],
  job: Job,
): Promise<{ vectors: Float32Array[]; tokens: number }> {
  const work = () => embedInTurn(loaded, texts, job);
  const result = turn.then(work, work);
  turn = result.catch(() => undefined);
  return result;
}

async function embedInTurn(
  { model, pools }: LoadedModel,
  texts: readonly string[],
  { signal, clearance }: Job,
): Promise<{ vectors: Float32Array[]; tokens: number }> {
  if (signal.aborted) throw cancelledError();
  const lengths = texts.map((text) => model.tokenize(text).length + added);
  const longest = Math.max(...lengths);
  if (longest >= pools.contextSize) {
    throw new PunaError(
      'invalid-input',
      `Text ${lengths.indexOf(longest) + 1} is too long: it has ${longest - added} tokens, and ${pools.contextSize - added - 1} fit.`,
      'Cut it into parts, or load the model with a longer context.',
    );
  }
  const context = await pools.createEmbedding(longest + 1);
  try {
    const vectors: Float32Array[] = [];
    let tokens = 0;
    for (const text of texts) {
      await clearance();
      if (signal.aborted) throw cancelledError();
      tokens += context.calculateInputLength(text);
      vectors.push(unitVector((await context.getEmbeddingFor(text)).vector));
    }
    return { vectors, tokens };
  } finally {
    await context.dispose();
  }
}

function unitVector(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return Float32Array.from(vector, (value) => value / length);
}
