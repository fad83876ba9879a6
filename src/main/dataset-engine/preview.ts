import type { LlamaModel, Token } from 'node-llama-cpp';
import type { ExampleContent, MaskPreview } from '../../shared/contract/index.ts';
import { ExampleTokenizer } from '../training/tokenize-examples.ts';
import { exampleOf } from './example-content.ts';

/** Tokens that are shown, some fifty pages; the page colours each piece. */
const shownTokens = 32_768;

/**
 * What the model reads of an example, from the very tokens of training. A conversation is shown as far as the context goes; a
 * text whole, since training reads it to its end, a context at a time. Of both no more than fifty pages are shown.
 */
export function previewOf(content: ExampleContent, model: LlamaModel, context: number): MaskPreview {
  const tokenizer = new ExampleTokenizer(model, content.kind === 'text' ? Infinity : context);
  const [sample = { tokens: [], learnt: [] }] = tokenizer.samples(exampleOf(content));
  const shortened = tokenizer.shortened > 0;
  const tokens = sample.tokens.slice(0, shownTokens) as Token[];
  const pieces = runsOf(tokens, sample.learnt).map(({ from, to, learnt }) => ({
    // What stands before tells whether a piece begins with a space.
    text: model.detokenize(tokens.slice(from, to), true, tokens.slice(0, from)),
    learnt,
  }));
  const last = pieces.at(-1);
  // What ends in the middle of a character ends before it.
  if (last && (shortened || sample.tokens.length > shownTokens))
    last.text = last.text.replace(/\uFFFD+$/, '');
  return {
    tokens: sample.tokens.length,
    shortened,
    pieces: pieces.filter(({ text }) => text !== ''),
  };
}

/** Stretches of tokens that are all learnt, or all only read: where the text changes hands no character is split. */
function runsOf(
  tokens: readonly Token[],
  learnt: readonly boolean[],
): { from: number; to: number; learnt: boolean }[] {
  const runs: { from: number; to: number; learnt: boolean }[] = [];
  for (const index of tokens.keys()) {
    const is = learnt[index] ?? false;
    const last = runs.at(-1);
    if (last?.learnt === is) last.to = index + 1;
    else runs.push({ from: index, to: index + 1, learnt: is });
  }
  return runs;
}
