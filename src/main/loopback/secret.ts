import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { fileError } from '../storage/index.ts';

const pattern = /^[\w-]{43}$/;

/**
 * 256 random bits that are drawn once and kept in a file, which its owner alone can read. A file without such a secret gets a new
 * one. Errors: `disk-full`, `invalid-input`.
 */
export function keptSecret(file: string): string {
  try {
    const kept = readFileSync(file, 'utf8');
    if (pattern.test(kept)) return kept;
  } catch {
    // None yet, or not a readable one.
  }
  const secret = randomBytes(32).toString('base64url');
  try {
    writeFileAtomic.sync(file, secret, { mode: 0o600 });
  } catch (thrown) {
    throw fileError(thrown, file);
  }
  return secret;
}

/** Whether two are the same; how long that takes tells nothing of where they differ. */
export function sameSecret(candidate: string, secret: string): boolean {
  const [given, expected] = [Buffer.from(candidate), Buffer.from(secret)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
