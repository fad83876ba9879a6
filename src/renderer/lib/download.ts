import type { Client } from './connection.svelte.ts';

/** Lets the browser save one or all conversations as a file; in the desktop window this opens its dialog. */
export async function downloadHistory(
  client: Client,
  options: { conversationId?: number; format: 'markdown' | 'json'; name: string },
): Promise<void> {
  const { conversationId, format, name } = options;
  const pieces: string[] = [];
  const stream = await client.history.export({
    format,
    ...(conversationId !== undefined && { conversationId }),
  });
  for await (const piece of stream) pieces.push(piece);
  const [type, ending] = format === 'json' ? ['application/json', 'json'] : ['text/markdown', 'md'];
  const address = URL.createObjectURL(new Blob(pieces, { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${fileName(name)}.${ending}`;
  link.click();
  // The browser needs the address until it has begun to save.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Letters that a file system refuses become spaces. */
function fileName(title: string): string {
  const plain = title.replaceAll(/[\\/:*?"<>|\p{Cc}]+/gu, ' ').trim();
  return plain.slice(0, 80) || 'Puna';
}
