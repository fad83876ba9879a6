import { basename, dirname } from 'node:path';

/**
 * The SHA-256 that a file is named by, as the caches of Hugging Face (`blobs/<64 digits>`; small files have 40 digits of another kind) and
 * Ollama (`blobs/sha256-<64 digits>`) do.
 */
export function namedSha256(realPath: string): string | undefined {
  if (basename(dirname(realPath)) !== 'blobs') return undefined;
  return /^(?:sha256-)?([0-9a-f]{64})$/.exec(basename(realPath))?.[1];
}
