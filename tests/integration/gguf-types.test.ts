import koffi from 'koffi';
import { existsSync, globSync } from 'node:fs';
import { GgmlType, GgufFileType } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import { ggmlTypes, tensorBytes } from '../../src/main/weights/formats/gguf.ts';
import { ggmlTypeById } from '../../src/main/weights/formats/ggml-types.ts';
import { fileTypeName } from '../../src/main/weights/file-type.ts';

const cpu = process.platform === 'darwin' ? `mac-${process.arch}*` : `${process.platform}-${process.arch}`;
const library = globSync(`node_modules/@node-llama-cpp/${cpu}/bins/*/libggml-base.{so,dylib}`).find((path) =>
  existsSync(path),
);

describe.skipIf(!library)('tensor types', () => {
  it('have the names and sizes that the bundled ggml gives them', () => {
    const ggml = koffi.load(library ?? '');
    const count = Math.max(...Object.values(ggmlTypes).map(({ id }) => id)) + 1;
    const name = ggml.func('const char *ggml_type_name(int type)') as (id: number) => string;
    const blockSize = ggml.func('int64_t ggml_blck_size(int type)') as (id: number) => number;
    const blockBytes = ggml.func('size_t ggml_type_size(int type)') as (id: number) => number;
    for (let id = 0; id < count; id++) {
      const type = ggmlTypeById(id);
      if (type === 'withdrawn')
        expect([name(id), blockSize(id)]).toEqual([expect.stringMatching(/DEPRECATED|REMOVED/), 0]);
      else
        expect([type?.name, type?.blockSize, type?.blockBytes]).toEqual([
          name(id).toUpperCase(),
          blockSize(id),
          blockBytes(id),
        ]);
    }
  });
});

describe('types of the file format', () => {
  it('are those that node-llama-cpp knows', () => {
    const known = Object.entries(GgmlType).filter(([, id]) => typeof id === 'number');
    expect(known.filter(([, id]) => ggmlTypeById(Number(id)) === undefined)).toEqual([]);
  });

  it('give a file its name as llama.cpp does', () => {
    for (const [name, number] of Object.entries(GgufFileType)) {
      if (typeof number !== 'number') continue;
      const ours = fileTypeName(number);
      if (ours) expect(`${number === 0 ? 'ALL' : 'MOSTLY'}_${ours}`).toBe(name);
    }
    expect(fileTypeName(1024 + 15)).toBe('Q4_K_M');
    expect(fileTypeName(999)).toBeUndefined();
  });

  it('say how many bytes a tensor has', () => {
    expect(tensorBytes(ggmlTypes.Q4_K, [4096, 4096])).toBe((4096 / 256) * 144 * 4096);
  });
});
