import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Repository, RepositoryFile } from '../../src/main/hub/index.ts';
import { chosenOffer, folderOffer, offersOf } from '../../src/main/hub-service/offers.ts';
import { meantBy, modelFolder, resultPath } from '../../src/main/hub-service/plan.ts';

const file = (path: string, bytes = 1000): RepositoryFile => ({ path, bytes, digest: null });

function repository(...files: RepositoryFile[]): Repository {
  return {
    ...{ id: 'someone/model', downloads: 1, likes: 1, changedAt: null, gated: false, tags: [], files },
    ...{ revision: 'abc', license: null, licenseLink: null, baseModels: [], languages: [] },
    ...{ parameters: null, architecture: null, contextLength: null },
  };
}

const split = repository(
  file('README.md'),
  file('Q8_0/m-Q8_0-00002-of-00002.gguf', 5000),
  file('Q8_0/m-Q8_0-00001-of-00002.gguf', 3000),
  file('m-Q4_K_M.gguf', 4000),
  file('mmproj-F16.gguf', 10),
);

describe('What a repository offers', () => {
  test('are its models, smallest first, the one for this machine marked', () => {
    expect(offersOf(split)).toMatchObject([
      { name: 'm-Q4_K_M', quantization: 'Q4_K_M', bytes: 4000, recommended: true, fits: true },
      { name: 'm-Q8_0', quantization: 'Q8_0', bytes: 8000, recommended: false, fits: true },
    ]);
  });

  test('is marked by what the machine says of each, not by size alone', () => {
    const asked: unknown[] = [];
    const offers = offersOf(split, ({ bytes, quantization }) => {
      asked.push([quantization, bytes]);
      return quantization === 'Q8_0';
    });
    expect(offers).toMatchObject([
      { name: 'm-Q4_K_M', recommended: false, fits: false },
      { name: 'm-Q8_0', recommended: true, fits: true },
    ]);
    expect(asked).toContainEqual(['Q8_0', 8000]);
  });

  test('is called by names that tell everything apart, and that the choice takes', () => {
    const twins = repository(file('f16/m.gguf', 3000), file('q8/M.gguf', 2000), file('other.gguf', 1000));
    const names = offersOf(twins).map(({ name }) => name);
    expect(names).toEqual(['other', 'q8/M.gguf', 'f16/m.gguf']);
    for (const name of names) expect(chosenOffer(twins, name).name).toBe(name);
    const folders = names.map((name) =>
      modelFolder('/models', meantBy(twins, { repository: twins.id, file: name })),
    );
    expect(folders).toEqual(
      ['', 'q8', 'f16'].map((subfolder) => join('/models', 'someone', 'model', subfolder)),
    );
  });

  test('is a folder only where there are weights', () => {
    expect(folderOffer(split)).toBeNull();
    const plain = repository(file('config.json'), file('model.safetensors'), file('pytorch_model.bin'));
    expect(folderOffer(plain)?.map(({ path }) => path)).toEqual(['config.json', 'model.safetensors']);
  });
});

describe('An order', () => {
  test('means all parts of a model, side by side, whatever way it is named', () => {
    const byName = meantBy(split, { repository: split.id, file: 'm-Q8_0' });
    expect(byName).toMatchObject({ file: 'm-Q8_0', bytes: 8000, revision: 'abc', subfolder: '' });
    expect(byName.files.map(({ name }) => name)).toEqual([
      'm-Q8_0-00001-of-00002.gguf',
      'm-Q8_0-00002-of-00002.gguf',
    ]);
    expect(resultPath('/here', byName)).toBe(join('/here', 'm-Q8_0-00001-of-00002.gguf'));
    for (const named of ['q8_0', 'Q8_0/m-Q8_0-00001-of-00002.gguf', 'm-Q8_0-00002-of-00002.gguf']) {
      expect(meantBy(split, { repository: split.id, file: named })).toEqual(byName);
    }
    expect(() => meantBy(split, { repository: split.id, file: 'Q2_K' })).toThrow('has no Q2_K');
  });

  test('of everything keeps the folders of the repository', () => {
    const plain = repository(file('a/config.json'), file('model.safetensors'));
    const meant = meantBy(plain, { repository: plain.id, file: null });
    expect(meant).toMatchObject({ file: null, name: 'someone/model', bytes: 2000 });
    expect(meant.files.map(({ name }) => name)).toEqual(['a/config.json', 'model.safetensors']);
    expect(resultPath('/here', meant)).toBe('/here');
  });
});
