import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fileError } from '../../src/main/storage/index.ts';
import { PunaError } from '../../src/shared/error.ts';

const system = (code: string) => Object.assign(new Error(code), { code, syscall: 'write', errno: -1 });

describe('what the system says of a file', () => {
  // Linux has a device that is always full.
  it.skipIf(!existsSync('/dev/full'))('is "disk-full" when the disk is full', async () => {
    const thrown = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
    expect(fileError(thrown, '/data/model.gguf')).toMatchObject({
      code: 'disk-full',
      message: 'The disk is full: /data/model.gguf could not be written.',
      remedy: 'Free some space on that disk and try again.',
      cause: thrown,
    });
  });

  it.each([
    ['EDQUOT', 'disk-full'],
    ['ENOENT', 'file-missing'],
    ['EACCES', 'invalid-input'],
    ['EROFS', 'invalid-input'],
    ['EFBIG', 'invalid-input'],
    ['EIO', 'file-damaged'],
  ])('%s becomes %s, with a sentence and a remedy', (system_, code) => {
    const error = fileError(system(system_), '/data/x') as PunaError;
    expect(error.code).toBe(code);
    expect([error.message, error.remedy]).toEqual([
      expect.stringMatching(/\/data\/x.*\.$/),
      expect.stringMatching(/\.$/),
    ]);
  });

  it('leaves everything else as it is', () => {
    const others = [new Error('mine'), new PunaError('cancelled', 'Cancelled.'), system('EWEIRD'), 'text'];
    for (const other of others) expect(fileError(other, '/data/x')).toBe(other);
  });
});
