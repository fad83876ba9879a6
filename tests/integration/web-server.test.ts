import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { AppRouter } from '../../src/main/rpc/router.ts';
import { startWebServer } from '../../src/main/web/server.ts';
import { run } from '../support/command.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

let shell: Shell;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  const { folder, remove } = await temporaryFolder();
  removeFolder = remove;
  shell = await startShell({ dataFolder: folder });
});

afterAll(async () => {
  await shell.stop();
  await removeFolder();
});

/** One request with just the headers given, as fetch would not allow them. */
async function request(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  const asked = get({ host: '127.0.0.1', port: shell.port, path, headers, method });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

/** The status with which an attempt to open a WebSocket is refused; 101 when it is accepted. */
async function handshake(headers: Record<string, string>, path = '/rpc'): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${shell.port}${path}`, { headers });
  const status = await new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => resolve(0));
  });
  socket.terminate();
  return status;
}

const token = () => new URL(shell.link).searchParams.get('token') ?? '';
const cookie = () => ({ cookie: `puna-${shell.port}=${token()}` });
const own = () => ({ origin: `http://127.0.0.1:${shell.port}` });

describe('the page', () => {
  test('is refused without the token', async () => {
    expect((await request('/')).statusCode).toBe(401);
    expect((await request('/?token=wrong')).statusCode).toBe(401);
  });

  test('that is not there is told of, and takes no port', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await once(free.close(), 'close');
    const options = { router: {} as AppRouter, folder: '/nowhere', token: 'a'.repeat(43), port };
    await expect(startWebServer(options)).rejects.toMatchObject({
      code: 'file-missing',
      message: 'There is no page in /nowhere.',
    });
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    await once(other.close(), 'close');
  });

  test('takes the token out of the address into a cookie, and then opens', async () => {
    const first = await request(`/?token=${token()}`);
    expect(first.statusCode).toBe(302);
    expect(first.headers.location).toBe('/');
    const [kept = ''] = first.headers['set-cookie'] ?? [];
    expect(kept).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await request('/', { cookie: kept.split(';', 1)[0] ?? '' })).statusCode).toBe(200);
  });

  test('is refused under a foreign host name, token or not (DNS rebinding)', async () => {
    const host = `evil.example:${shell.port}`;
    expect((await request(`/?token=${token()}`, { host })).statusCode).toBe(421);
    expect((await request('/', { host, ...cookie() })).statusCode).toBe(421);
  });

  test('is refused to another page, to which its Origin is foreign', async () => {
    const origin = 'http://evil.example';
    expect((await request('/', { origin, ...cookie() })).statusCode).toBe(403);
    expect((await request(`/?token=${token()}`, { origin })).headers['set-cookie']).toBeUndefined();
    expect((await request('/', { ...own(), ...cookie() })).statusCode).toBe(200);
  });

  test('is only to be read', async () => {
    expect((await request('/', cookie(), 'HEAD')).statusCode).toBe(200);
    expect((await request('/', cookie(), 'POST')).statusCode).toBe(405);
  });

  test('never sends the browser to another host', async () => {
    const { headers } = await request(`/.//evil.example/?token=${token()}`);
    expect(headers.location).toBe('/evil.example/');
  });

  test('comes with a policy that lets nothing in from elsewhere', async () => {
    const policy = (await request('/', cookie())).headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-eval');
    expect(policy).not.toMatch(/script-src[^;]*'unsafe-inline'/);
  });

  test('does not leave its folder', async () => {
    for (const path of ['/../main/cli.js', '/%2e%2e/main/cli.js', '/..%2fmain%2fcli.js', '/%5c..%5cmain']) {
      expect((await request(path, cookie())).statusCode).toBe(404);
    }
  });
});

describe('the contract', () => {
  test('is open to the own page with the cookie', async () => {
    expect(await handshake({ ...own(), ...cookie() })).toBe(101);
  });

  test('is refused without token, from a foreign origin, without origin, under a foreign host, at another path', async () => {
    expect(await handshake(own())).toBe(403);
    expect(await handshake({ origin: 'http://evil.example', ...cookie() })).toBe(403);
    expect(await handshake(cookie())).toBe(403);
    expect(await handshake({ ...own(), ...cookie(), host: `evil.example:${shell.port}` })).toBe(403);
    expect(await handshake({ ...own(), ...cookie() }, '/other')).toBe(403);
  });

  test('answers, and turns failures into a sentence with a remedy', async () => {
    expect((await shell.client.system.info()).shell).toBe('browser');
    await expect(shell.client.models.add({ path: '/no/such/file.gguf' })).rejects.toMatchObject({
      code: 'FAILED',
      data: { code: 'file-missing' },
    });
  });

  test('calls a file that cannot be imported by the name that the person gave it', async () => {
    const piece = new Blob(['{"cats": []}']);
    const { uploadId } = await shell.client.uploads.begin({ name: 'cats.json', bytes: piece.size });
    await shell.client.uploads.append({ uploadId, offset: 0, piece });
    await expect(shell.client.history.import({ uploadId })).rejects.toMatchObject({
      message: expect.stringMatching(/^cats\.json is not a history/) as string,
    });
  });

  test('survives a message that is not of its protocol', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}/rpc`, { headers: { ...own(), ...cookie() } });
    await once(socket, 'open');
    socket.send('{"this is": not json');
    socket.send(Buffer.from([0xff, 0xfe, 0x00]));
    expect((await shell.client.system.info()).shell).toBe('browser');
    socket.terminate();
  });
});

describe('a second start', () => {
  test('with the same data folder says where Puna runs already', async () => {
    const { status, stderr } = await run(['serve', '--port', '0', '--no-open', '--data', shell.dataFolder]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^puna: .*already/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('on a port that is taken says so and what to do', async () => {
    const { folder, remove } = await temporaryFolder();
    const occupied = createServer().listen(0, '127.0.0.1');
    await once(occupied, 'listening');
    const { port } = occupied.address() as { port: number };
    const { status, stderr } = await run(['serve', '--port', String(port), '--no-open', '--data', folder]);
    expect(status).toBe(1);
    expect(stderr).toContain(`Port ${port} is taken by another program. Choose another one with --port`);
    occupied.close();
    await remove();
  });
});
