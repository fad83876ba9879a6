import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { fileError } from '../storage/index.ts';

const tokenPattern = /^[\w-]{43}$/;

/**
 * The browser shell's token: 256 random bits, kept in the data folder (readable by its owner alone) so that open tabs
 * find their way back after a restart. Errors: `disk-full`, `invalid-input`.
 */
export function browserToken(dataFolder: string): string {
  const file = join(dataFolder, 'browser-token');
  try {
    const kept = readFileSync(file, 'utf8');
    if (tokenPattern.test(kept)) return kept;
  } catch {
    // No token yet, or not a readable one: a new one costs the person one click on the printed link.
  }
  const token = randomBytes(32).toString('base64url');
  try {
    writeFileAtomic.sync(file, token, { mode: 0o600 });
  } catch (thrown) {
    throw fileError(thrown, file);
  }
  return token;
}
