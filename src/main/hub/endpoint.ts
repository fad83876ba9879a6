import { PunaError } from '../../shared/error.ts';

export const usualEndpoint = 'https://huggingface.co';

/**
 * The address of a hub or a mirror: the given one, that of the variable HF_ENDPOINT, or else the usual one. Errors: `invalid-input` (no
 * address, or one with a password, which would be shown wherever the address is).
 */
export function endpointOf(given?: string | null): URL {
  const address = given || process.env.HF_ENDPOINT || usualEndpoint;
  const url = URL.parse(address);
  if (address.includes('@') || url?.username || url?.password || url?.search || url?.hash) {
    throw new PunaError(
      'invalid-input',
      'The address of a hub must hold no name, password or token: it is shown and kept for everybody to read.',
      'Leave out all before "@" and behind "?", and set a token instead, which Puna keeps with its secrets.',
    );
  }
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new PunaError(
    'invalid-input',
    `${address} is not the address of a hub.`,
    `It begins with https:// or http://, as ${usualEndpoint} does.`,
  );
}

/** Whether whoever is on the way to a hub can read what goes there, such as a token. */
export function isOpenWay({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Under which name the token for a hub is kept among the secrets: each hub has its own, and gets no other. */
export function tokenName({ origin }: URL): string {
  return origin === usualEndpoint ? 'hub-token' : `hub-token ${origin}`;
}

/** That of HF_TOKEN, for hubs that nobody can overhear, and for the one that HF_ENDPOINT names beside it. */
export function environmentToken(endpoint: URL): string | null {
  const isNamed = URL.parse(process.env.HF_ENDPOINT ?? '')?.origin === endpoint.origin;
  return isOpenWay(endpoint) && !isNamed ? null : process.env.HF_TOKEN?.trim() || null;
}
