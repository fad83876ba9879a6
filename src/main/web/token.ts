import { join } from 'node:path';
import { keptSecret } from '../loopback/index.ts';

/**
 * The browser shell's token, kept in the data folder so that open tabs find their way back after a restart; a new one costs the
 * person one click on the printed link. Errors: `disk-full`, `invalid-input`.
 */
export function browserToken(dataFolder: string): string {
  return keptSecret(join(dataFolder, 'browser-token'));
}
