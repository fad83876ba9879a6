import type { ServerPlace } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { addressUrl, placeOf } from '../../shared/server-address.ts';

export interface ServerAddress {
  /** Without a slash at its end. */
  address: string;
  place: ServerPlace;
}

/** Ends of addresses that people copy with them. */
const procedures = /\/(chat\/completions|completions|models|embeddings|responses)$/;

/**
 * Reads where a server is, as a person writes it: a scheme and `/v1` may be left out. Errors: `invalid-input` (no address of a server, or one
 * that has a password or more than an address in it, which is not shown).
 */
export function parseAddress(written: string): ServerAddress {
  const url = addressUrl(written);
  if (!url) {
    throw new PunaError(
      'invalid-input',
      'This is not the address of a server.',
      'It is one such as http://192.168.0.7:8000/v1.',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new PunaError(
      'invalid-input',
      'There is a name or a password in the address, where everybody would see it.',
      'Leave it out, and give what the server wants as its key.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new PunaError(
      'invalid-input',
      'The address goes on behind its path (? or #).',
      'Leave that out; a key has a place of its own.',
    );
  }
  const path = url.pathname
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .replace(procedures, '');
  return { address: `${url.origin}${path || '/v1'}`, place: placeOf(url.hostname) };
}

/** What errors call a server: never more than host and port. */
export function hostOf(address: string): string {
  return new URL(address).host;
}

/** Errors: `invalid-input` (the key could be read by everybody on its way). */
export function refuseOpenKey({ address, place }: ServerAddress, hasKey: boolean): void {
  if (!hasKey || place !== 'elsewhere' || address.startsWith('https:')) return;
  throw new PunaError(
    'invalid-input',
    `The key would go to ${hostOf(address)} unencrypted, and others could read it on its way.`,
    'Use an address that begins with https://, or leave the key out.',
  );
}
