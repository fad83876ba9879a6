import type { LlamaModel } from 'node-llama-cpp';
import { setImmediate } from 'node:timers/promises';
import type { ExampleContent, Measures } from '../../shared/contract/index.ts';
import { ExampleTokenizer } from '../training/tokenize-examples.ts';
import type { DatasetFile } from './dataset-file.ts';
import { beginning } from './example-columns.ts';
import { exampleOf } from './example-content.ts';
import type { ExampleLength, Unmeasured } from './lengths.ts';
import type { Vocabulary } from './vocabularies.ts';

/** So long tokenizing goes on before other jobs get a turn, in milliseconds. */
const turnMs = 8;

/** A longer text is tokenized in pieces, in characters: the tokenizer lets nobody have a turn, and takes a second for a million. */
const charactersAtOnce = 1_000_000;

/**
 * Measures all examples that have no length by this tokenizer yet, however long the context. What is not measured to the end goes
 * on the next time. Errors: `cancelled` when another model is measured with meanwhile; the signal's reason when it aborts.
 */
export async function measureLengths(
  file: DatasetFile,
  { key, model }: Vocabulary,
  signal: AbortSignal,
): Promise<ExampleLength[]> {
  let turn = performance.now();
  const breathe = async () => {
    if (performance.now() - turn < turnMs) return;
    await setImmediate();
    signal.throwIfAborted();
    turn = performance.now();
  };
  const tokenizer = new ExampleTokenizer(model, Infinity);
  file.lengths.begin(key);
  let after = 0;
  for (;;) {
    const measured: (Unmeasured & ExampleLength)[] = [];
    for (const example of file.lengths.missing(after)) {
      const { content, id } = example;
      const isLong = content.kind === 'text' && content.text.length > charactersAtOnce;
      const length = isLong ? await lengthOfText(content.text, model, breathe) : lengthOf(content, tokenizer);
      measured.push({ ...example, ...length });
      after = id;
      await breathe();
    }
    if (measured.length === 0) return file.lengths.all();
    file.lengths.keep(key, measured);
  }
}

/** Of all tokens that training would read if the context had no end. The first one is not learnt, as nothing leads to it. */
function lengthOf(content: ExampleContent, tokenizer: ExampleTokenizer): ExampleLength {
  const length = { tokens: 0, learnt: 0 };
  for (const { tokens, learnt } of tokenizer.samples(exampleOf(content))) {
    length.tokens += tokens.length;
    length.learnt += learnt.reduce((sum, is, index) => sum + (is && index > 0 ? 1 : 0), 0);
  }
  return length;
}

/** The same of a long text, but for a token or two where its pieces meet. */
async function lengthOfText(
  text: string,
  model: LlamaModel,
  breathe: () => Promise<void>,
): Promise<ExampleLength> {
  const { bos, eos, shouldPrependBosToken } = model.tokens;
  let tokens = Number(shouldPrependBosToken && bos !== null) + Number(eos !== null);
  for (let from = 0; from < text.length;) {
    const piece = beginning(text.slice(from, from + charactersAtOnce + 1), charactersAtOnce);
    tokens += model.tokenize(piece).length;
    from += piece.length;
    await breathe();
  }
  return { tokens, learnt: tokens - 1 };
}

/** Sums up lengths, the shortest of which come first. */
export function summedUp(lengths: readonly ExampleLength[], modelId: number): Measures {
  const sum = (part: keyof ExampleLength) => lengths.reduce((total, length) => total + length[part], 0);
  return {
    ...{ modelId, examples: lengths.length, tokens: sum('tokens'), learntTokens: sum('learnt') },
    median: lengths[Math.floor(lengths.length / 2)]?.tokens ?? 0,
    longest: lengths.at(-1)?.tokens ?? 0,
    histogram: histogramOf(lengths),
  };
}

/** Each step twice as wide as the one before: 0, 1, 2–3, 4–7, 8–15… from the shortest to the longest, without a gap. */
function histogramOf(lengths: readonly ExampleLength[]): Measures['histogram'] {
  const steps: Measures['histogram'] = [];
  for (const { tokens } of lengths) {
    let step = steps.at(-1) ?? stepOf(tokens);
    if (steps.length === 0) steps.push(step);
    while (tokens >= step.to) {
      step = { from: step.to, to: Math.max(1, step.to) * 2, count: 0 };
      steps.push(step);
    }
    step.count++;
  }
  return steps;
}

function stepOf(tokens: number): Measures['histogram'][number] {
  const from = tokens === 0 ? 0 : 2 ** Math.floor(Math.log2(tokens));
  return { from, to: Math.max(1, from * 2), count: 0 };
}
