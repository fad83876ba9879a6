import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { liesInLibrary } from '../../src/main/hub-service/in-library.ts';

const file = 'm-Q4_K_M.gguf';
const at = (...steps: string[]) => ({ path: join(sep, 'home', ...steps), missing: false, id: 7 });
const found = (model: ReturnType<typeof at>) =>
  liesInLibrary([{ ...at('x.gguf'), id: 1 }, model], 'acme/m-GGUF', file);

test.each([
  ['Puna', at('models', 'acme', 'm-GGUF', file)],
  ['LM Studio', at('.lmstudio', 'models', 'acme', 'm-GGUF', file)],
  ['Hugging Face', at('hub', 'models--acme--m-GGUF', 'snapshots', 'abc', file)],
])('A file is known by where %s keeps it', (_, model) => expect(found(model)).toBe(7));

test.each([
  ['of another publisher', at('models', 'other', 'm-GGUF', file)],
  ['of another publisher in the cache', at('hub', 'models--other--m-GGUF', 'snapshots', 'abc', file)],
  ['of another quantization', at('models', 'acme', 'm-GGUF', 'm-Q8_0.gguf')],
  ['that is gone', { ...at('models', 'acme', 'm-GGUF', file), missing: true }],
  ['somewhere', at(file)],
])('One %s is not taken for it', (_, model) => expect(found(model)).toBeNull());
