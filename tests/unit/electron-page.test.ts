import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appScheme, serveFolder } from '../../src/main/electron/app-protocol.ts';
import { isOwnPage, packagedPage } from '../../src/main/electron/page.ts';

let root: string;
let ask: (url: string, method?: string) => Promise<Response>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'puna-page-'));
  await mkdir(join(root, 'renderer', 'assets'), { recursive: true });
  await mkdir(join(root, 'renderer-old'));
  await writeFile(join(root, 'renderer', 'index.html'), '<title>Puna</title>');
  await writeFile(join(root, 'renderer', 'assets', '풀 a.js'), 'export {}');
  await writeFile(join(root, 'secret.txt'), 'secret');
  await writeFile(join(root, 'renderer-old', 'secret.txt'), 'secret');
  const serve = serveFolder(join(root, 'renderer'));
  ask = (url, method = 'GET') => serve({ url, method });
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('app://', () => {
  test('is a secure origin of its own that may not step around the policy', () => {
    expect(appScheme.privileges).toMatchObject({ standard: true, secure: true, supportFetchAPI: true });
    expect(appScheme.privileges?.bypassCSP).toBeFalsy();
  });

  test('gives the page at its root, with its type and the content security policy', async () => {
    for (const address of ['app://puna/', 'app://puna/index.html', 'app://puna/?x=1#y']) {
      const response = await ask(address);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('<title>Puna</title>');
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy.split('; ')).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'"]));
      expect(policy).not.toContain('unsafe-eval');
    }
  });

  test('gives a script as a script, also under a name that needs encoding', async () => {
    const response = await ask(`app://puna/assets/${encodeURIComponent('풀 a.js')}`);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  test.each([
    'app://puna/../secret.txt',
    'app://puna/..%2fsecret.txt',
    'app://puna/%2e%2e/secret.txt',
    'app://puna/%2e%2e%2fsecret.txt',
    'app://puna/assets/..%2f..%2fsecret.txt',
    'app://puna/..%5csecret.txt',
    'app://puna/..%2frenderer-old%2fsecret.txt',
    'app://puna//etc/passwd',
    'app://puna/%2fetc%2fpasswd',
    'app://puna/index.html%00.txt',
    'app://puna/%',
    'app://puna/assets',
    'app://elsewhere/index.html',
    'app:index.html',
    'file:///etc/passwd',
    'no address',
  ])('answers %s with nothing', async (address) => {
    const response = await ask(address);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toMatch(/secret|root:/);
  });

  test('only gives', async () => {
    expect((await ask('app://puna/index.html', 'POST')).status).toBe(404);
  });
});

test.each([
  ['app://puna/', true],
  ['app://puna/index.html?x#y', true],
  ['app://puna.evil/', false],
  ['app://evil/', false],
  ['https://puna/', false],
  ['about:blank', false],
  ['', false],
])('%j is its own page: %s', (address, own) => {
  expect(isOwnPage(address, packagedPage)).toBe(own);
});
