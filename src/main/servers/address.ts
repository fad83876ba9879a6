import { BlockList, isIP } from 'node:net';
import type { ServerPlace } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';

export interface ServerAddress {
  /** Without a slash at its end. */
  address: string;
  place: ServerPlace;
}

const thisComputer = new BlockList();
thisComputer.addSubnet('127.0.0.0', 8);
thisComputer.addAddress('0.0.0.0');
thisComputer.addAddress('::1', 'ipv6');
thisComputer.addAddress('::', 'ipv6');

/** Addresses that no router of the internet passes on (RFC 1918, 3927, 4193, 4291). */
const localNetwork = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  localNetwork.addSubnet(network, bits);
}
localNetwork.addSubnet('fc00::', 7, 'ipv6');
localNetwork.addSubnet('fe80::', 10, 'ipv6');

/** Endings of names that only a local network knows (RFC 6762, RFC 8375, and what ICANN and routers keep for it). */
const localNames = /\.(local|lan|internal|home\.arpa)$/;

/** Ends of addresses that people copy with them. */
const procedures = /\/(chat\/completions|completions|models|embeddings|responses)$/;

/**
 * Reads where a server is, as a person writes it: a scheme and `/v1` may be left out. Errors: `invalid-input` (no address of a server, or one
 * that has a password or more than an address in it, which is not shown).
 */
export function parseAddress(written: string): ServerAddress {
  const text = written.trim();
  const url = withScheme(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
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

/** Where a host is, by its name alone: nobody is asked. */
export function placeOf(hostname: string): ServerPlace {
  const host = hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  const version = isIP(host);
  if (version !== 0) {
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (thisComputer.check(host, family)) return 'this-computer';
    return localNetwork.check(host, family) ? 'local-network' : 'elsewhere';
  }
  if (host === 'localhost' || host.endsWith('.localhost')) return 'this-computer';
  return localNames.test(host) || !host.includes('.') ? 'local-network' : 'elsewhere';
}

/** What is near has no certificate as a rule; everything else has one. */
function withScheme(text: string): URL | null {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return URL.parse(text);
  const near = URL.parse(`http://${text}`);
  return near && placeOf(near.hostname) === 'elsewhere' ? URL.parse(`https://${text}`) : near;
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
