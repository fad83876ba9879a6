import { promptTurns } from '../chat/prompt.ts';
import { placeKey } from '../datasets/found-record.ts';
import type { ExampleOptions, History, HistoryExample } from '../history/index.ts';
import { writeAtomically } from '../storage/index.ts';
import { historyLabel } from './names.ts';

/** Writes what of the history can be learnt from as JSONL, for an engine to read; gives how many examples that are. Errors: `disk-full`. */
export async function writeHistory(
  history: Pick<History, 'examples'>,
  options: ExampleOptions,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<number> {
  let count = 0;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const example of history.examples(options)) {
      signal.throwIfAborted();
      count++;
      yield `${line(example)}\n`;
    }
  };
  await writeAtomically(path, lines(), { signal });
  return count;
}

/** As OpenAI's API takes it, with where it comes from. Files stand in the text as they do in the chat. */
function line({ title, systemPrompt, messages }: HistoryExample): string {
  const turns = promptTurns(messages).map(({ role, text }, index) => ({
    ...{ role, content: text },
    ...(role === 'assistant' && messages[index]?.learnt === false && { weight: 0 }),
  }));
  const system = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }];
  return JSON.stringify({ messages: [...system, ...turns], [placeKey]: title.trim() || historyLabel });
}
