import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { commandsPage, leaves, page } from '../../scripts/commands-page.ts';
import { commandLine } from '../../src/main/commands/program.ts';
import { allDocuments, anchorsOf, codeOf, shapeOf, targetsOf } from '../support/documents.ts';

const documents = await allDocuments();
const program = commandLine();

test('README, guide and docs are read, in both languages', () => {
  const paths = documents.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['README.md', 'README.ko.md', 'docs/guide/en.md', 'docs/guide/ko.md']),
  );
});

describe.each(documents)('$path', (document) => {
  const inside = targetsOf(document).filter((target) => !/^[a-z]+:/.test(target));

  test('leads to files and pictures that are there', () => {
    const missing = inside
      .map((target) => target.split('#')[0] ?? '')
      .filter((path) => path && !existsSync(join(dirname(document.path), decodeURI(path))));
    expect(missing).toEqual([]);
  });

  test('leads to headings that are there', () => {
    const missing = inside.filter((target) => {
      const [path = '', anchor] = target.split('#');
      if (!anchor) return false;
      const to = path ? normalize(join(dirname(document.path), path)) : document.path;
      const other = documents.find((each) => each.path === to);
      return !other || !anchorsOf(other).has(decodeURIComponent(anchor));
    });
    expect(missing).toEqual([]);
  });

  test('names commands and options that Puna has', () => {
    expect(codeOf(document).flatMap(wrongWords)).toEqual([]);
  });

  test('names scripts that package.json has', () => {
    const named = document.text.matchAll(/npm run ([a-z]+(?::[a-z]+)*)(?![\w:])/g);
    const missing = [...named].map(([, name = '']) => name).filter((name) => !(name in packageFile.scripts));
    expect(missing).toEqual([]);
  });
});

test('the guide has the same chapters, lists, tables and pictures in both languages', () => {
  const shapes = ['docs/guide/en.md', 'docs/guide/ko.md'].map((path) => {
    const guide = documents.find((document) => document.path === path);
    return guide && shapeOf(guide);
  });
  expect(shapes[0]).toContain('heading 1');
  expect(shapes[1]).toEqual(shapes[0]);
});

test('docs/commands.md tells all commands and options as the program does; npm run docs:commands writes it', async () => {
  const now = await readFile(page, 'utf8');
  expect(now).toBe(await commandsPage(now));
  for (const { words } of leaves(program)) expect(now).toContain(`### ${words}\n`);
});

test('the check of commands finds a command and an option that are not there', () => {
  expect(wrongWords('puna serve --no-open --port 8765 # as it should be')).toEqual([]);
  expect(wrongWords('npm exec puna -- chat --model FILE [--adapter FILE[:SCALE]]...')).toEqual([]);
  expect(wrongWords('puna bake cake')).toEqual(['puna bake']);
  expect(wrongWords('puna models bake')).toEqual(['puna models bake']);
  expect(wrongWords('npx puna serve --loud')).toEqual(['puna serve --loud']);
});

/** What a line of code says of `puna` that the program does not know. */
function wrongWords(line: string): string[] {
  const call = /^(?:npx |npm exec )?puna (?:-- )?(.+)/.exec(line.trim())?.[1]?.replace(/\s#.*/, '');
  if (call === undefined) return [];
  const words = call.split(/[\s[\]|]+/).filter(Boolean);
  let command: Command = program;
  let path = 'puna';
  while (command.commands.length > 0) {
    const word = words.shift();
    // "puna adapter" alone, or "puna COMMAND --help".
    if (word === undefined || !/^[a-z]/.test(word)) return [];
    path += ` ${word}`;
    const next = command.commands.find((each) => each.name() === word);
    if (!next) return [path];
    command = next;
  }
  const known = new Set(command.options.map(({ long }) => long));
  return words
    .filter((word) => word.startsWith('--') && word !== '--help')
    .map((word) => word.replace(/[^a-z]+$/, ''))
    .filter((word) => !known.has(word))
    .map((word) => `${path} ${word}`);
}
