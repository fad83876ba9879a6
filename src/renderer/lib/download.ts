import type { Client } from './connection.svelte.ts';

/** As many characters are handed to the browser at once, which can put them on the disk. */
const handedOver = 4 * 2 ** 20;

/** Lets the browser save one or all conversations as a file; in the desktop window this opens its dialog. */
export async function downloadHistory(
  client: Client,
  options: { conversationId?: number; format: 'markdown' | 'json'; name: string },
): Promise<void> {
  const { conversationId, format, name } = options;
  const pieces = await client.history.export({
    format,
    ...(conversationId !== undefined && { conversationId }),
  });
  const [type, ending] = format === 'json' ? ['application/json', 'json'] : ['text/markdown', 'md'];
  await save(pieces, { type, name: `${fileName(name)}.${ending}` });
}

/** The same for all of a dataset that is not excluded. */
export async function downloadDataset(
  client: Client,
  { datasetId, name }: { datasetId: number; name: string },
): Promise<void> {
  const pieces = await client.datasets.export({ datasetId });
  await save(pieces, { type: 'application/jsonl', name: `${fileName(name)}.jsonl` });
}

async function save(
  pieces: AsyncIterable<string>,
  { type, name }: { type: string; name: string },
): Promise<void> {
  const parts: Blob[] = [];
  let held: string[] = [];
  let characters = 0;
  for await (const piece of pieces) {
    held.push(piece);
    characters += piece.length;
    if (characters < handedOver) continue;
    parts.push(new Blob(held));
    [held, characters] = [[], 0];
  }
  const address = URL.createObjectURL(new Blob([...parts, ...held], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to save.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Letters that a file system refuses become spaces. */
function fileName(title: string): string {
  const plain = title.replaceAll(/[\\/:*?"<>|\p{Cc}]+/gu, ' ').trim();
  return plain.slice(0, 80) || 'Puna';
}
