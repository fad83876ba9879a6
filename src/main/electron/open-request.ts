import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * What another program has asked Puna to show: a page, as the end of its address, or files that could be models. Any program and any web
 * site can ask, so that nothing follows from it but what a person then does.
 */
export type OpenRequest = { kind: 'page'; hash: string } | { kind: 'files'; paths: string[] };

/** Of links that lead to Puna; the installers register it. */
export const linkScheme = 'puna';

/** Longer links are nobody's. */
const longestLink = 500;
/** A person who opens more at once means a folder. */
const mostFiles = 20;

const pages: ReadonlyMap<string, string> = new Map([
  ['chat', '#/'],
  ['teach', '#/teach'],
  ['models', '#/models'],
  ['discover', '#/models/discover'],
  ['weights', '#/weights'],
  ['settings', '#/settings'],
]);
/** OWNER/NAME of a repository of the hub. */
const repository = /^[a-z\d][\w.-]{0,95}\/[a-z\d][\w.-]{0,95}$/i;

/**
 * Reads `puna://open?page=PAGE` or `puna://open?model=OWNER/NAME`, which leads to the page of that model on the hub. Null for all else,
 * also for what only looks alike.
 */
export function readLink(link: string): OpenRequest | null {
  const address = link.length <= longestLink ? URL.parse(link) : null;
  if (!address || address.protocol !== `${linkScheme}:` || address.host !== 'open') return null;
  if (!['', '/'].includes(address.pathname) || address.username || address.password || address.hash) {
    return null;
  }
  const [asked, ...more] = [...address.searchParams];
  if (!asked || more.length > 0) return null;
  const [what, value] = asked;
  if (what === 'page') return pageRequest(pages.get(value));
  return what === 'model' && repository.test(value) ? pageRequest(`#/models/discover/${value}`) : null;
}

function pageRequest(hash: string | undefined): OpenRequest | null {
  return hash === undefined ? null : { kind: 'page', hash };
}

/**
 * What the words ask for that a program was started with (without the program itself): a link, or files by paths that may be relative to
 * `folder`. Switches are Chromium's and ours.
 */
export function readWords(words: readonly string[], folder: string): OpenRequest | null {
  const { positionals } = parseArgs({
    args: [...words],
    options: { data: { type: 'string' } },
    strict: false,
    allowPositionals: true,
  });
  const link = positionals.find((word) => word.toLowerCase().startsWith(`${linkScheme}:`));
  if (link !== undefined) return readLink(link);
  return readFiles(positionals.map((path) => resolve(folder, path)));
}

/** Those of the paths that are named like models. */
export function readFiles(paths: readonly string[]): OpenRequest | null {
  const models = paths.filter((path) => /\.gguf$/i.test(path)).slice(0, mostFiles);
  return models.length > 0 ? { kind: 'files', paths: models } : null;
}
