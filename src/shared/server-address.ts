import type { ServerPlace } from './contract/index.ts';

/**
 * Addresses that no router of the internet passes on (RFC 1918, 3927 and 6598). The last ones are those that Tailscale gives to the machines
 * of one's own network, wherever they are; a provider that has too few addresses gives them to its customers, too.
 */
const ownNetworks = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const;

/**
 * Endings of names that only one's own network knows (RFC 6762, RFC 8375, what ICANN and routers keep for it), or that stand for
 * machines of it (Tailscale's `ts.net`).
 */
const ownNames = /\.(local|lan|internal|home\.arpa|ts\.net)$/;

/** Where a host is, by its name alone: nobody is asked. What is no name of a host is elsewhere. */
export function placeOf(hostname: string): ServerPlace {
  // A URL has each address in one way alone, however it was written.
  const host = (URL.parse(`http://${hostname}`)?.hostname ?? hostname).toLowerCase().replace(/\.$/, '');
  const ipv6 = wordsOf(host);
  if (ipv6) return placeOfIpv6(ipv6);
  if (isIpv4(host)) return placeOfIpv4(numberOf(host));
  if (host === 'localhost' || host.endsWith('.localhost')) return 'this-computer';
  return ownNames.test(host) || !host.includes('.') ? 'local-network' : 'elsewhere';
}

/** What a person has written as an address; null where it is none. What is near has no certificate as a rule, everything else has one. */
export function addressUrl(written: string): URL | null {
  const text = written.trim();
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? URL.parse(text) : withScheme(text);
  return whole && /^https?:$/.test(whole.protocol) && whole.hostname !== '' ? whole : null;
}

function withScheme(text: string): URL | null {
  const near = URL.parse(`http://${text}`);
  return near && placeOf(near.hostname) === 'elsewhere' ? URL.parse(`https://${text}`) : near;
}

function isIpv4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/** An address of IPv4 as one number of 32 bits. */
function numberOf(host: string): number {
  return host.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function placeOfIpv4(address: number): ServerPlace {
  // 0.0.0.0 is where programs listen on all of a computer's addresses; who asks there asks this one.
  if (address === 0 || isIn(address, '127.0.0.0', 8)) return 'this-computer';
  return ownNetworks.some(([network, bits]) => isIn(address, network, bits)) ? 'local-network' : 'elsewhere';
}

function isIn(address: number, network: string, bits: number): boolean {
  return address >>> (32 - bits) === numberOf(network) >>> (32 - bits);
}

/** The eight words of an address of IPv6, as a URL has it in its brackets; null where it is none. */
function wordsOf(host: string): number[] | null {
  if (!host.startsWith('[')) return null;
  const [before = [], after = []] = host
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').flatMap((word) => (word === '' ? [] : [Number.parseInt(word, 16)])));
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** RFC 4193 (one's own addresses), 4291 (those of a link, and of IPv4 within IPv6). */
function placeOfIpv6(words: readonly number[]): ServerPlace {
  const [first = 0] = words;
  const [high = 0, low = 0] = words.slice(6);
  const start = words.slice(0, 6);
  if (start.slice(0, 5).every((word) => word === 0) && start[5] === 0xffff) {
    return placeOfIpv4(high * 0x1_0000 + low);
  }
  if (start.every((word) => word === 0) && high === 0 && low <= 1) return 'this-computer';
  const isOwn = (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
  return isOwn ? 'local-network' : 'elsewhere';
}
