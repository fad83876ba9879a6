import { type ExampleContent, exampleContentSchema } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Example } from '../datasets/index.ts';

/** An example that was read, as datasets keep it. */
export function contentOf(example: Example): ExampleContent {
  if (example.kind === 'text') return example;
  const turns = example.turns.map(({ role, text, learnt = true }) => ({ role, text, learnt }));
  return { kind: 'conversation', system: example.system, turns };
}

/** What datasets keep, as training takes it. */
export function exampleOf(content: ExampleContent): Example {
  if (content.kind === 'text') return content;
  const turns = content.turns.map(({ role, text, learnt }) => ({
    ...{ role, text },
    // Of what the person says nothing is ever learnt.
    ...(role === 'assistant' && !learnt && { learnt: false as const }),
  }));
  return { kind: 'conversation', system: content.system, turns };
}

/** What a person or a model wrote, once it is known to be an example that can be learnt. Errors: `invalid-input`. */
export function checkedContent(given: unknown): ExampleContent {
  const { success, data: content, error } = exampleContentSchema.safeParse(given);
  if (!success) {
    const [issue] = error.issues;
    throw invalid(issue?.message ?? 'It has no turns and no text.', { cause: error });
  }
  const texts = content.kind === 'text' ? [content.text] : content.turns.map(({ text }) => text);
  if (texts.some((text) => text.trim() === '')) throw invalid('Its texts must not be empty.');
  return content;
}

function invalid(reason: string, options?: { cause: unknown }): PunaError {
  const remedy = 'Give a text, or questions that are followed by an answer each.';
  return new PunaError('invalid-input', `This example cannot be learnt. ${reason}`, remedy, options);
}
