import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, tryToWrite } from '../../src/main/storage/index.ts';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'puna-make-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a folder', () => {
  it('is made with those above it, and left as it is where it is there', () => {
    makeFolder(at('one', 'two', 'three'));
    writeFileSync(at('one', 'two', 'three', 'file'), 'x');
    makeFolder(at('one', 'two', 'three'));
    makeFolder('/');
    expect(readdirSync(at('one', 'two', 'three'))).toEqual(['file']);
  });

  it('may be there by a link', () => {
    mkdirSync(at('real'));
    symlinkSync(at('real'), at('link'), 'dir');
    makeFolder(at('link'));
    makeFolder(at('link', 'below'));
    expect(statSync(at('real', 'below')).isDirectory()).toBe(true);
  });

  it('is not made where a file is, below one, or where a link leads nowhere', () => {
    writeFileSync(at('file'), 'x');
    symlinkSync(at('nowhere'), at('dangling'), 'dir');
    for (const path of [at('file'), at('file', 'below', 'it'), at('dangling')])
      expect(() => makeFolder(path), path).toThrow();
    expect(readdirSync(folder).sort()).toEqual(['dangling', 'file']);
  });
});

describe('a trial to write', () => {
  it('leaves nothing', () => {
    tryToWrite(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that there is no folder', () => {
    expect(() => tryToWrite(at('none'))).toThrow('ENOENT');
  });
});
