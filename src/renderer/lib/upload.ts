import type { Client } from './connection.svelte.ts';

/** As large as the contract takes (src/shared/contract/index.ts); repeated here to keep the schemas out of the page. */
const pieceBytes = 1024 * 1024;

/**
 * Sends a file through the contract, piece by piece, and gives the name under which it can be used.
 * Errors: `disk-full`; the signal's reason once that is aborted, and then nothing of the file is left behind.
 */
export async function upload(
  client: Client,
  file: File,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (share: number) => void } = {},
): Promise<string> {
  const { uploadId } = await client.uploads.begin({ name: file.name, bytes: file.size });
  try {
    for (let offset = 0; offset < file.size; offset += pieceBytes) {
      signal?.throwIfAborted();
      await client.uploads.append({ uploadId, offset, piece: file.slice(offset, offset + pieceBytes) });
      onProgress?.(Math.min(1, (offset + pieceBytes) / file.size));
    }
    return uploadId;
  } catch (thrown) {
    // Where this fails too, the first error says more; what is left of an upload is cleared away at the next start.
    await client.uploads.discard({ uploadId }).catch(() => undefined);
    throw thrown;
  }
}
