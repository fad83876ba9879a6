import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dataFolder, safeFileName } from '../../src/main/storage/index.ts';

afterEach(() => vi.unstubAllEnvs());

describe('the data folder', () => {
  it('is the one that is given', () => {
    vi.stubEnv('PUNA_DATA', '/elsewhere');
    expect(dataFolder('here')).toBe(resolve('here'));
  });

  it('is else that of PUNA_DATA', () => {
    vi.stubEnv('PUNA_DATA', '/elsewhere');
    expect(dataFolder()).toBe(resolve('/elsewhere'));
  });

  it.skipIf(process.platform !== 'linux')("is else the platform's place for data", () => {
    vi.stubEnv('PUNA_DATA', '');
    vi.stubEnv('XDG_DATA_HOME', undefined);
    expect(dataFolder()).toBe(join(homedir(), '.local/share/Puna'));
  });
});

describe('a name from outside', () => {
  it.each([
    ['model.gguf', 'model.gguf'],
    ['모델 7B.gguf', '모델 7B.gguf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\model.gguf', 'model.gguf'],
    ['a:b?c*.gguf', 'a_b_c_.gguf'],
    ['line\nbreak\0.gguf', 'line break_.gguf'],
    ['.hidden', 'hidden'],
    ['con.gguf', 'con_.gguf'],
    ['..', '_'],
    ['', '_'],
  ])('%j is stored as %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });

  it('is cut to what file systems hold, and keeps its ending', () => {
    const safe = safeFileName(`${'모델'.repeat(200)}.gguf`);
    expect(Buffer.byteLength(`${safe} (99)`)).toBeLessThan(255);
    expect(safe).toMatch(/^(모델)+모?\.gguf$/);
  });
});
