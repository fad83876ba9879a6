import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { build, buildIsStale } from '../../scripts/build.ts';
import { isAllowed } from '../../scripts/third-party/allowed.ts';

interface Listed {
  dependencies?: Record<string, Listed & { version?: string; extraneous?: boolean }>;
}

/** All packages of a tree as npm tells it, as `NAME VERSION`. */
function flatten({ dependencies = {} }: Listed): string[] {
  return Object.entries(dependencies).flatMap(([name, inner]) => [
    // What is optional and of another system has no version. The package node fetches the program of its system by itself.
    ...(inner.version && !inner.extraneous ? [`${name} ${inner.version}`] : []),
    ...flatten(inner),
  ]);
}

describe('The licences of others', () => {
  const root = resolve('.');
  let text: string;
  let licences: Map<string, string>;
  beforeAll(() => {
    if (buildIsStale(root)) expect(build(root)).toBe(true);
    text = readFileSync('out/renderer/third-party.txt', 'utf8');
    const list = text.split('\n\n')[1] ?? '';
    licences = new Map(
      list.split('\n').map((line) => {
        const [name = '', licence = ''] = line.split(': ');
        return [name, licence];
      }),
    );
  });

  test('are those of every package that npm says is needed to run Puna', () => {
    const words = ['ls', '--omit=dev', '--all', '--json'];
    const tree = JSON.parse(execFileSync('npm', words, { encoding: 'utf8', maxBuffer: 2 ** 26 })) as Listed;
    const needed = new Set(flatten(tree));
    expect(needed.size).toBeGreaterThan(200);
    expect([...needed].filter((name) => !licences.has(name) && !name.startsWith('typescript '))).toEqual([]);
  });

  test('are also those of what is bundled, such as fonts', () => {
    const names = [...licences.keys()].map((name) => name.replace(/ [^ ]+$/, ''));
    expect(names).toEqual(
      expect.arrayContaining(['svelte', 'bits-ui', 'katex', 'pretendard', '@fontsource/jetbrains-mono']),
    );
    // The tools that make Puna are not in it.
    expect(names).not.toContain('vite');
    expect(names).not.toContain('eslint');
  });

  test('all let Puna pass the work on', () => {
    expect([...licences].filter(([, licence]) => !isAllowed(licence))).toEqual([]);
  });

  test('are there with their texts', () => {
    const headings = text.split(/^─+$/m).filter((_, index) => index % 2 === 1);
    const named = new Set(headings.flatMap((heading) => heading.trim().split('\n')));
    expect([...licences.keys()].filter((name) => !named.has(name))).toEqual([]);
    expect(text).toContain('Permission is hereby granted, free of charge');
    expect(text).toContain('SIL OPEN FONT LICENSE Version 1.1');
  });
});

describe('A licence', () => {
  test.each(['MIT', '(MIT OR GPL-3.0-or-later)', '(MIT AND Zlib)', 'GPL-2.0 OR Apache-2.0'])(
    '%s lets Puna pass it on',
    (licence) => {
      expect(isAllowed(licence)).toBe(true);
    },
  );

  test.each(['', 'UNLICENSED', 'GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN X', '((MIT))'])(
    '"%s" does not',
    (licence) => {
      expect(isAllowed(licence)).toBe(false);
    },
  );
});
