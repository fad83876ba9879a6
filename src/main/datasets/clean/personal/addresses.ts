import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { type Found, matches } from './found.ts';

/**
 * Local part and domain as people have them (RFC 5321 allows 64 characters before the sign), without quoted local parts. Each
 * run of characters is tried from its beginning alone, so that a long one costs no square of its length.
 */
const email =
  /(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:[a-z]{2,24}|한국)(?![a-z0-9@]|\.[a-z0-9])/giu;

/** "logo@2x.png" is a picture for fine screens, "git@host" the login of everyone. */
const noEmail = /^git@|@[\dx.]+x\.(?:png|jpe?g|gif|webp|svg|avif)$/i;

/** `scheme://name:password@host`; the password alone is the item. */
const password =
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/[\]"'<>]{0,64}:(?<item>[^\s@/[\]"'<>]{1,256})@(?=[\w[])/giu;
/** What stands there in manuals is no secret. */
const noPassword = /^(?:\*+|x+|\$\{?\w+\}?|\{+\w+\}+|%\w+%?)$/i;

const ipv4 = /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/g;
/** What makes four numbers a version, or a part of a product's name: "v", "version", "버전", "Chrome/". */
const versionBefore = /(?:\bv(?:er(?:sion)?)?|release|build|버전|버젼|[\w)]\/)[\s.:]*$/i;

/** Long runs of hexadecimal digits and colons; Node knows which of them are addresses. */
const ipv6 = /(?<![\w:.])[23][0-9a-f]{3}:[0-9a-f:]{2,40}(?![\w:]|\.\d)/gi;

/** Addresses that say nothing of whose they are: this machine, home and office networks, masks, multicast. */
const nobodys = new BlockList();
for (const [network, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
] as const) {
  nobodys.addSubnet(network, bits, 'ipv4');
}

/** Passwords in web addresses; with the host behind it, one looks like an e-mail address. */
export function passwords(text: string): Iterable<Found> {
  // A plain search is much quicker than the pattern's.
  return !text.includes('://') ? [] : matches('password', password, text, (item) => !noPassword.test(item));
}

/** E-mail addresses and public internet addresses. */
export function* addresses(text: string): Generator<Found> {
  if (text.includes('@')) yield* matches('email', email, text, (item) => !noEmail.test(item));
  yield* matches('ip', ipv4, text, isSomeonesAddress);
  // Those of the internet begin with 2 or 3; others never leave a network.
  yield* matches('ip', ipv6, text, (item) => isIPv6(item));
}

function isSomeonesAddress(item: string, before: string): boolean {
  const isLikeVersion = item.split('.').every((part) => part.length === 1);
  return isIPv4(item) && !isLikeVersion && !nobodys.check(item, 'ipv4') && !isVersion(before);
}

function isVersion(before: string): boolean {
  // "http://" ends with a slash, too.
  return versionBefore.test(before) && !before.endsWith('//');
}
