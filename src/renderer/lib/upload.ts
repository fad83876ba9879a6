import type { Client } from './connection.svelte.ts';

/** As large as the contract takes (src/shared/contract/index.ts); repeated here to keep the schemas out of the page. */
const pieceBytes = 1024 * 1024;

/** A file, and its place among those that it belongs to: `may.md`, or `2024/may.md`. */
export interface FileOfGroup {
  name: string;
  file: File;
}

interface UploadOptions {
  signal?: AbortSignal | undefined;
  /** Told the share that has been sent. */
  onProgress?: (share: number) => void;
  /** The group of files that it belongs to. */
  groupId?: string | undefined;
  /** Of the file, where it is not its own. */
  name?: string;
}

/**
 * Sends a file through the contract, piece by piece, and gives the name under which it can be used.
 * Errors: `disk-full`; the signal's reason once that is aborted, and then nothing of the file is left behind.
 */
export async function upload(
  client: Client,
  file: File,
  { signal, onProgress, groupId, name = file.name }: UploadOptions = {},
): Promise<string> {
  const { uploadId } = await client.uploads.begin({ name, bytes: file.size, groupId });
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

/** Sends files that belong together; gives their group. Errors: as `upload`. */
async function uploadGroup(
  client: Client,
  { name, files }: { name: string; files: readonly FileOfGroup[] },
  { signal, onProgress }: Pick<UploadOptions, 'signal' | 'onProgress'> = {},
): Promise<string> {
  const { groupId } = await client.uploads.beginGroup({ name });
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let sent = 0;
  try {
    for (const { name: place, file } of files) {
      const before = sent;
      await upload(client, file, {
        ...{ signal, groupId, name: place },
        onProgress: (share) => onProgress?.((before + share * file.size) / Math.max(1, total)),
      });
      sent += file.size;
    }
    return groupId;
  } catch (thrown) {
    await client.uploads.discardGroup({ groupId }).catch(() => undefined);
    throw thrown;
  }
}

/** Those who keep what was sent to them, such as `client.datasets`. */
interface Keeper {
  keep(input: { groupId: string }): Promise<{ path: string }>;
  forget(input: { path: string }): Promise<unknown>;
}

/** Sends files and has them kept; gives where, or null when it was stopped meanwhile and nothing is kept. Errors: as `upload`. */
export async function sendTo(
  keeper: Keeper,
  client: Client,
  group: { name: string; files: readonly FileOfGroup[] },
  options: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<string | null> {
  const groupId = await uploadGroup(client, group, options);
  const { path } = await keeper.keep({ groupId });
  if (!options.signal.aborted) return path;
  await keeper.forget({ path });
  return null;
}
