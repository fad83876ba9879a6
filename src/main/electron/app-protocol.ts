import type { CustomScheme } from 'electron';
import { lookup } from 'mrmime';
import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { contentSecurityPolicy } from '../web/content-security-policy.ts';
import { isOwnPage, packagedPage, scheme } from './page.ts';

/** Must be told to Electron before it is ready. With these the page has an origin, storage and fetch, as on https. */
export const appScheme: CustomScheme = {
  scheme,
  privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
};

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Answers app:// with the files of one folder, the built renderer. */
export function serveFolder(folder: string): (request: Pick<Request, 'url' | 'method'>) => Promise<Response> {
  return async ({ url, method }) => {
    const file = method === 'GET' && isOwnPage(url, packagedPage) ? fileWithin(folder, url) : null;
    // The build is some dozen megabytes in small files: no need for streams or ranges.
    const content = file && (await readFile(file).catch(() => null));
    if (!file || !content) return new Response('There is no such page.', { status: 404, headers });
    const type = lookup(file) ?? 'application/octet-stream';
    const utf8 = type.startsWith('text/') ? '; charset=utf-8' : '';
    return new Response(new Uint8Array(content), {
      headers: { ...headers, 'Content-Type': `${type}${utf8}` },
    });
  };
}

/** The file that an address means, or null where it does not lie in the folder, however it is written. */
function fileWithin(folder: string, address: string): string | null {
  const path = decoded(new URL(address).pathname);
  if (path === null || path.includes('\0')) return null;
  const root = resolve(folder);
  const file = resolve(root, `.${path === '/' ? '/index.html' : path}`);
  return file.startsWith(root + sep) ? file : null;
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
