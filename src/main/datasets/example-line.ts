/** An example as this module takes it: of `Example`, or of what the page knows of one. */
type WritableExample =
  | { kind: 'text'; text: string }
  | {
      kind: 'conversation';
      system: string;
      turns: readonly { role: 'user' | 'assistant'; text: string; learnt?: boolean | undefined }[];
    };

/**
 * A line of JSONL, with its end: conversations as OpenAI's API takes them for fine-tuning (`"weight": 0` where a reply is not
 * learnt), texts as collections for pre-training have them. `readExamples` gives the same example back.
 */
export function exampleLine(example: WritableExample): string {
  if (example.kind === 'text') return `${JSON.stringify({ text: example.text })}\n`;
  const system = example.system === '' ? [] : [{ role: 'system', content: example.system }];
  const turns = example.turns.map(({ role, text, learnt = true }) => ({
    ...{ role, content: text },
    ...(role === 'assistant' && !learnt && { weight: 0 }),
  }));
  return `${JSON.stringify({ messages: [...system, ...turns] })}\n`;
}
