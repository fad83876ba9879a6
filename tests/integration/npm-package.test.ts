import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { build, buildIsStale } from '../../scripts/build.ts';
import packageFile from '../../package.json' with { type: 'json' };

const root = resolve('.');
const run = promisify(execFile);

/** The Node of the system, where it is too old for Puna: that is what many people have. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  if (!existsSync(path)) return false;
  return Number(execFileSync(path, ['--print', 'process.versions.node.split(".")[0]'])) < 24;
});
if (!oldNode) console.warn('The test on an old Node is skipped: this machine has none.');

beforeAll(() => {
  if (buildIsStale(root)) expect(build(root)).toBe(true);
});

describe('The package for npm', () => {
  test('has the build and what comes with Puna, and nothing that it is made of', async () => {
    // What is built is not built anew.
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string; mode: number }[] }];
    const paths = files.map(({ path }) => path);
    expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(
      // npm always takes what is called README.
      new Set(['LICENSE', 'README.md', 'README.ko.md', 'out', 'package.json', 'resources']),
    );
    expect(paths).toEqual(
      expect.arrayContaining([
        packageFile.bin.puna.replace('./', ''),
        'out/main/inference-engine.js',
        'out/renderer/index.html',
        'resources/recommended-models.json',
      ]),
    );
  });

  test.skipIf(!oldNode)('runs on the Node that comes with it where the system has an older one', async () => {
    const words = ['out/main/cli.js', '--version'];
    expect((await run(oldNode ?? '', words)).stdout.trim()).toBe(packageFile.version);
    // What the command ends with, and what it says, are passed on.
    const failed = run(oldNode ?? '', ['out/main/cli.js', 'nonsense']);
    await expect(failed).rejects.toMatchObject({ code: 2, stderr: "error: unknown command 'nonsense'\n" });
  });
});
