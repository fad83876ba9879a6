import { expect, test, vi } from 'vitest';
import { makeFolder } from '../../src/main/storage/make-folder.ts';

// Windows says so of everything on a drive that is not there, of its root as well.
vi.mock('node:fs', async (original) => ({
  ...(await original<object>()),
  mkdirSync: () => {
    throw Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' });
  },
  existsSync: () => false,
  statSync: () => undefined,
}));

test('A folder on a drive that is not there is refused as the system does it', () => {
  expect(() => makeFolder('/models/of/mine')).toThrow('ENOENT');
});
