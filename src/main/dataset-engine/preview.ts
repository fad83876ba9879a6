import type { LlamaModel, Token } from 'node-llama-cpp';
import type { ExampleContent, MaskPreview } from '../../shared/contract/index.ts';
import { ExampleTokenizer } from '../training/tokenize-examples.ts';
import { shown } from './example-columns.ts';
import { exampleOf } from './example-content.ts';

/** Tokens that are shown, some fifty pages; the page colours each piece. */
const shownTokens = 32_768;

/**
 * What the model reads of an example, from the very tokens of training. A conversation is shown as far as the context goes; a
 * text as far as the page shows texts, since training reads it to its end, a context at a time.
 */
export function previewOf(content: ExampleContent, model: LlamaModel, context: number): MaskPreview {
  const isText = content.kind === 'text';
  const example = isText ? shown(content) : { content, cut: false };
  const tokenizer = new ExampleTokenizer(model, isText ? Infinity : context);
  const [sample = { tokens: [], learnt: [] }] = tokenizer.samples(exampleOf(example.content));
  const shortened = tokenizer.shortened > 0;
  // Its end stands behind the whole text.
  const end = example.cut && sample.tokens.at(-1) === model.tokens.eos ? -1 : undefined;
  const all = sample.tokens.slice(0, end) as Token[];
  const tokens = all.slice(0, shownTokens);
  const pieces = runsOf(tokens, sample.learnt).map(({ from, to, learnt }) => ({
    // What stands before tells whether a piece begins with a space.
    text: model.detokenize(tokens.slice(from, to), true, tokens.slice(0, from)),
    learnt,
  }));
  const last = pieces.at(-1);
  // What ends in the middle of a character ends before it.
  if (last && (shortened || tokens.length < all.length)) last.text = last.text.replace(/\uFFFD+$/, '');
  return { tokens: all.length, shortened, pieces: pieces.filter(({ text }) => text !== '') };
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
