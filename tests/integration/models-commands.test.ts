import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { databaseFile, openDatabase } from '../../src/main/history/index.ts';
import { tokenName } from '../../src/main/hub/index.ts';
import { FileSecrets, secretsFile } from '../../src/main/secrets/index.ts';
import { run } from '../support/command.ts';
import { sha256, startHub, type StandInHub } from '../support/hub.ts';
import { buildTinyModel } from '../support/models.ts';
import { startShell, temporaryFolder } from '../support/shell.ts';
import { ggufBytes } from '../support/tiny-gguf.ts';

const id = 'someone/tiny-GGUF';
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let hub: StandInHub;
let small: Buffer;
let large: Buffer;
beforeEach(async () => {
  temporary = await temporaryFolder();
  const built = async (name: string, layers: number) => {
    const path = join(temporary.folder, name);
    const shape = { embedding: 512, layers, heads: 8, kvHeads: 4, feedForward: 2048, context: 64 };
    await buildTinyModel(path, { seed: layers, shape });
    return readFile(path);
  };
  small = await built('a.gguf', 1);
  large = await built('b.gguf', 2);
  hub = await startHub([
    {
      ...{ id, downloads: 1234, cardData: { license: 'apache-2.0' } },
      files: { 'README.md': Buffer.from('# tiny'), 'tiny-Q4_K_M.gguf': small, 'sub/tiny-Q8_0.gguf': large },
    },
  ]);
});
afterEach(async () => {
  await hub.close();
  await temporary.remove();
});

const data = () => join(temporary.folder, 'data');
const place = (name = '') => join(data(), 'models', ...id.split('/'), name);
const models = (words: string[], options?: { input?: string }) =>
  run(['models', ...words, '--data', data()], options);
const pull = (words: string[]) => models(['pull', ...words, '--endpoint', hub.url]);
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** With variables that the command inherits. */
async function withEnvironment<Result>(
  variables: Record<string, string>,
  work: () => Promise<Result>,
): Promise<Result> {
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
  }
}

describe('puna models pull', () => {
  test('gets the recommended quantization into the library, which lists and removes it', async () => {
    const pulled = await pull([id]);
    expect(pulled).toMatchObject({ status: 0, stderr: '' });
    expect(pulled.stdout).toMatch(/^someone\/tiny-GGUF, Q4_K_M: [\d.]+ MB, license apache-2\.0\n/);
    expect(pulled.stdout).toContain(`tiny-Q4_K_M is in the library: ${place('tiny-Q4_K_M.gguf')}`);
    expect(sha256(await readFile(place('tiny-Q4_K_M.gguf')))).toBe(sha256(small));

    const listed = await models(['list', '--json']);
    expect(lines(listed.stdout)).toMatchObject([
      { type: 'model', id: 1, name: 'tiny-Q4_K_M', path: place('tiny-Q4_K_M.gguf'), missing: false },
      { type: 'result', models: 1 },
    ]);
    expect((await models(['list'])).stdout).toMatch(/^1 {2}tiny-Q4_K_M {2}/);

    // Once more: it is there.
    const again = await pull([id, '--json']);
    expect(lines(again.stdout).at(-1)).toMatchObject({ type: 'result', id: 1 });

    const removed = await models(['remove', 'tiny-Q4_K_M']);
    expect(removed.stdout).toBe('tiny-Q4_K_M is out of the library. Its files are deleted.\n');
    expect(existsSync(join(data(), 'models', 'someone'))).toBe(false);
    expect((await models(['list'])).stdout).toBe('The library is empty.\n');
    expect(await models(['remove', 'tiny-Q4_K_M'])).toMatchObject({
      status: 1,
      stderr: 'puna: The library has no model "tiny-Q4_K_M". See "puna models list" for what it has.\n',
    });
  });

  test('gets what is named, to where it is told, and removing it leaves it there', async () => {
    const out = join(temporary.folder, 'mine');
    const pulled = await pull([`${id}:q8_0`, '--out', out, '--connections', '2', '--limit', '500']);
    expect(pulled).toMatchObject({ status: 0, stderr: '' });
    expect(await readdir(out)).toEqual(['tiny-Q8_0.gguf']);
    const removed = await models(['remove', join(out, 'tiny-Q8_0.gguf')]);
    expect(removed.stdout).toContain(`Its file stays: ${join(out, 'tiny-Q8_0.gguf')}`);
    expect(await readdir(out)).toEqual(['tiny-Q8_0.gguf']);
  });

  test('gets a repository without GGUF files as a folder', async () => {
    hub.put({
      id: 'someone/plain',
      files: {
        'config.json': Buffer.from('{}'),
        'model.safetensors': Buffer.alloc(3000, 1),
        'pytorch_model.bin': Buffer.alloc(3000, 2),
        '.gitattributes': Buffer.from('x'),
      },
    });
    const { status, stdout } = await pull(['someone/plain']);
    const folder = join(data(), 'models', 'someone', 'plain');
    expect(status).toBe(0);
    expect(stdout).toContain(`${folder} is a folder of Hugging Face: "puna convert" makes a model of it.`);
    expect(await readdir(folder)).toEqual(['config.json', 'model.safetensors']);
  });

  test('says what is wrong in one line', async () => {
    const host = new URL(hub.url).host;
    const complaint = async (words: string[]) => {
      const { status, stderr } = await pull(words);
      expect(status).toBe(1);
      return stderr;
    };
    expect(await complaint(['no/where'])).toBe(
      `puna: ${host} has not found the repository no/where. Check its name; a private one needs a token (in the app's settings, or for commands HF_TOKEN or "puna models token").\n`,
    );
    expect(await complaint([`${id}:Q2_K`])).toBe(
      `puna: ${id} has no Q2_K. It has ${small.length < large.length ? 'Q4_K_M, Q8_0' : ''}.\n`,
    );
    expect(await complaint(['nothing'])).toContain('"nothing" does not name a repository.');
    hub.fault('tiny-Q4_K_M.gguf', { bytes: Buffer.alloc(small.length, 5) });
    expect(await complaint([id])).toContain('has sent is not tiny-Q4_K_M.gguf: its hash is another one.');
    expect(await readdir(place())).toEqual([]);
    hub.put({ id: 'bad/bad', files: { '..': small, '../../x.gguf': small } });
    expect(await complaint(['bad/bad:../../x.gguf', '--whole'])).toContain('bad/bad has no files');
    hub.put({ id: 'bad/bad', files: { '../../x.safetensors': small } });
    expect(await complaint(['bad/bad'])).toContain('its name could lead out of its folder.');
    expect((await models(['list'])).stdout).toBe('The library is empty.\n');
  });

  test('gets what is gated with a token, from the environment or from what is kept', async () => {
    hub.put({ id, files: { 'tiny-Q4_K_M.gguf': small }, gated: 'auto' });
    const refused = await pull([id]);
    expect(refused.stderr).toBe(
      `puna: ${new URL(hub.url).host} gives the files of ${id} only to those who have accepted its conditions. ` +
        `Accept them on ${hub.url}/${id}, and give Puna a token of your account (in the app's settings, or for commands HF_TOKEN or "puna models token").\n`,
    );
    // The one of another hub does not go to this one.
    await models(['token'], { input: 'hf_elsewhere\n' });
    expect(await pull([id])).toMatchObject({ status: 1 });
    expect(hub.seen.some(({ authorization }) => authorization)).toBe(false);
    const kept = await models(['token', '--endpoint', hub.url], { input: `${hub.token}\n` });
    expect(kept).toMatchObject({
      status: 0,
      stdout: `The token for ${new URL(hub.url).host} is kept in the data folder; only you can read it.\n`,
    });
    expect(
      ((await stat(join(data(), 'secrets.json'))).mode & 0o077) === 0 || process.platform === 'win32',
    ).toBe(true);
    expect(await pull([id])).toMatchObject({ status: 0 });
    await models(['token', '--remove', '--endpoint', hub.url]);
    await rm(join(data(), 'models'), { recursive: true });
    expect(await pull([id])).toMatchObject({ status: 1 });
    const { status } = await withEnvironment({ HF_TOKEN: hub.token }, () => pull([id]));
    expect(status).toBe(0);
    expect(hub.seen.filter(({ server }) => server === 'files').every((each) => !each.authorization)).toBe(
      true,
    );
  });

  test('goes on without a token that the desktop has sealed, and says so', async () => {
    const keychain = {
      name: 'keychain',
      seal: (secret: string) => Buffer.from(secret),
      open: () => Promise.reject(new Error('It is locked.')),
    };
    await new FileSecrets(secretsFile(data()), keychain).set(tokenName(new URL(hub.url)), hub.token);
    const { status, stderr } = await pull([id]);
    expect(status).toBe(0);
    expect(stderr).toContain('The token that is kept cannot be opened here');
    expect(hub.seen.some(({ authorization }) => authorization)).toBe(false);
    const found = await models(['search', 'tiny', '--json', '--endpoint', hub.url]);
    expect(lines(found.stdout)).toMatchObject([
      { type: 'model', id },
      { type: 'result', models: 1 },
    ]);
  });

  test('killed in the middle, goes on from there and ends with the right hash', async () => {
    hub.fault('tiny-Q4_K_M.gguf', { bytesPerSecond: small.length / 5 });
    const words = [
      'src/main/cli.ts',
      'models',
      'pull',
      id,
      '--endpoint',
      hub.url,
      '--data',
      data(),
      '--json',
    ];
    const child = spawn(process.execPath, [...words, '--connections', '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.on('data', (text: Buffer) => (told += text.toString()));
    while (!told.includes('"progress"')) await once(child.stdout, 'data');
    await wait(1500);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await readdir(place())).toEqual([
      '.tiny-Q4_K_M.gguf.download',
      '.tiny-Q4_K_M.gguf.download.journal',
    ]);
    // The library knows nothing of it.
    expect((await models(['list'])).stdout).toBe('The library is empty.\n');
    hub.fault('tiny-Q4_K_M.gguf', null);
    hub.seen.length = 0;
    expect(await pull([id])).toMatchObject({ status: 0, stderr: '' });
    expect(sha256(await readFile(place('tiny-Q4_K_M.gguf')))).toBe(sha256(small));
    expect(await readdir(place())).toEqual(['tiny-Q4_K_M.gguf']);
    const [first] = hub.seen.filter(({ server }) => server === 'files');
    expect(first?.range).not.toMatch(/^bytes=0-/);
  });

  test('stopped by Ctrl-C, says how to go on', async () => {
    hub.fault('tiny-Q4_K_M.gguf', { bytesPerSecond: small.length / 10 });
    const words = [
      'src/main/cli.ts',
      'models',
      'pull',
      id,
      '--endpoint',
      hub.url,
      '--data',
      data(),
      '--json',
    ];
    const child = spawn(process.execPath, words, { stdio: 'pipe' });
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    let told = '';
    child.stdout.on('data', (text: Buffer) => (told += text.toString()));
    while (!told.includes('"progress"')) await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(complaint).toBe(
      'puna: It was stopped before it was done. Run the same command again, and it goes on from there.\n',
    );
  });
});

describe('puna models search', () => {
  test('finds what the hub has', async () => {
    const found = await models(['search', 'tiny', '--endpoint', hub.url]);
    expect(found).toMatchObject({ status: 0, stderr: '', stdout: 'someone/tiny-GGUF  1,234 downloads\n' });
    const json = await withEnvironment({ HF_ENDPOINT: hub.url }, () => models(['search', 'tiny', '--json']));
    expect(lines(json.stdout)).toMatchObject([
      { type: 'model', id, downloads: 1234 },
      { type: 'result', models: 1 },
    ]);
    expect((await models(['search', 'nothing', '--endpoint', hub.url])).stdout).toBe('Nothing found.\n');
  });

  test('without words shows what Puna recommends, and asks nobody', async () => {
    const { stdout, status } = await models(['search', '--endpoint', hub.url]);
    expect(status).toBe(0);
    expect(stdout).toContain('puna models pull Qwen/Qwen3-8B-GGUF:Q4_K_M');
    const all = lines((await models(['search', '--json'])).stdout);
    const recommended = all.filter(({ type }) => type === 'recommended');
    expect(recommended.length).toBeGreaterThanOrEqual(10);
    // What fits is what the app says of it.
    const shell = await startShell({ dataFolder: data() });
    const inApp = await shell.client.hub.recommended().finally(() => shell.stop());
    expect(recommended.map(({ name, fits }) => [name, fits])).toEqual(
      inApp.map(({ name, fits }) => [name, fits]),
    );
    expect(hub.seen).toEqual([]);
  });
});

describe('The way to the hub', () => {
  test('leads through the proxy that the environment names, but for hosts that need none', async () => {
    const asked: string[] = [];
    const proxy = createHttpServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('content-type', 'application/json').end('[]');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const variables = { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '127.0.0.1' };
    await withEnvironment(variables, async () => {
      const far = await models(['search', 'x', '--endpoint', 'http://hub.invalid']);
      expect(far).toMatchObject({ status: 0, stdout: 'Nothing found.\n' });
      const near = await models(['search', 'tiny', '--endpoint', hub.url]);
      expect(near.stdout).toContain(id);
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^http:\/\/hub\.invalid\/api\/models\?search=x/);
    proxy.close();
  });

  test('takes certificates of one’s own, also through a proxy, and says when it does not know one', async () => {
    const fixture = 'tests/fixtures/hub';
    const server = createServer(
      { key: await readFile(`${fixture}/key.pem`), cert: await readFile(`${fixture}/certificate.pem`) },
      (_, response) => response.setHeader('content-type', 'application/json').end('[]'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const search = (host: string) => models(['search', 'x', '--endpoint', `https://${host}:${port}`]);
    const stranger = await search('127.0.0.1');
    expect(stranger.status).toBe(1);
    expect(stranger.stderr).toBe(
      `puna: The certificate of 127.0.0.1:${port} is not trusted: nobody that this machine trusts has signed it. ` +
        'If a proxy of your company or school stands between, name its certificate in NODE_EXTRA_CA_CERTS; also check the clock.\n',
    );
    const trusting = { NODE_EXTRA_CA_CERTS: `${fixture}/certificate.pem` };
    expect(await withEnvironment(trusting, () => search('127.0.0.1'))).toMatchObject({
      status: 0,
      stderr: '',
    });

    const tunnels: string[] = [];
    const proxy = createHttpServer().on('connect', (request, socket, head) => {
      tunnels.push(request.url ?? '');
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        there.write(head);
        there.pipe(socket).pipe(there);
      });
      for (const end of [there, socket]) end.on('error', () => undefined);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const proxyAddress = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const through = await withEnvironment({ ...trusting, HTTPS_PROXY: proxyAddress }, () =>
      search('hub.test'),
    );
    expect(through).toMatchObject({ status: 0, stderr: '', stdout: 'Nothing found.\n' });
    expect(tunnels).toEqual([`hub.test:${port}`]);
    server.close();
    proxy.close();
  });
});

test('A split model is one: pulled, listed and removed as a whole', async () => {
  const parts = ['tiny-F32-00001-of-00002.gguf', 'tiny-F32-00002-of-00002.gguf'];
  const [first, second] = await Promise.all([0, 1].map(splitPart));
  hub.put({ id, files: { [`F32/${parts[0]}`]: first ?? small, [`F32/${parts[1]}`]: second ?? small } });
  expect(await pull([id])).toMatchObject({ status: 0, stderr: '' });
  expect(await readdir(place())).toEqual(parts);
  const [listed] = lines((await models(['list', '--json'])).stdout);
  expect(listed).toMatchObject({ name: 'tiny-F32', bytes: (first?.length ?? 0) + (second?.length ?? 0) });
  expect(await models(['remove', 'tiny-F32'])).toMatchObject({ status: 0 });
  expect(existsSync(place())).toBe(false);
});

test('A model behind a linked folder among Puna’s own is taken off the list, and its file stays', async () => {
  const foreign = join(temporary.folder, 'foreign');
  await mkdir(join(data(), 'models'), { recursive: true });
  await symlink(foreign, join(data(), 'models', 'someone'));
  expect(await pull([id, '--out', foreign])).toMatchObject({ status: 0 });
  const database = openDatabase(databaseFile(data()));
  const path = join(data(), 'models', 'someone', 'tiny-Q4_K_M.gguf');
  database.prepare('UPDATE models SET path = ?').run(path);
  database.close();
  const removed = await models(['remove', 'tiny-Q4_K_M']);
  expect(removed).toMatchObject({ status: 0, stderr: '' });
  expect(removed.stdout).toContain(`Its file stays: ${path}`);
  expect(await readdir(foreign)).toEqual(['tiny-Q4_K_M.gguf']);
});

function splitPart(number: number): Promise<Buffer> {
  return ggufBytes({
    metadata: new Map([
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['split.no', { type: 'uint16', value: number }],
      ['split.count', { type: 'uint16', value: 2 }],
    ]),
    tensors: [
      { name: `blk.${number}.attn_q.weight`, type: 'F32', shape: [32, 32], data: new Uint8Array(4096) },
    ],
  });
}
