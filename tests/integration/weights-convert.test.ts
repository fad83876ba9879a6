import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metadataNumber, metadataString } from '../../src/main/weights/formats/gguf.ts';
import { tensorTypes } from '../../src/main/weights/formats/tensor.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { run } from '../support/command.ts';
import {
  distance,
  logitsCase,
  logitsCases,
  logitsFixture,
  makeFolder,
  type MemoryTensor,
} from '../support/logits-cases.ts';
import { temporaryFolder } from '../support/shell.ts';
import { runHere, tensorHashes } from '../support/weights.ts';

let folder: string;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
});
afterAll(() => removeFolder());

const convert = (from: string, out: string, type: string | null = null) =>
  runHere({ kind: 'convert', from, out, type });

/** How far llama.cpp's logits with a file are from PyTorch's. */
function distanceOf(path: string, name: string): number {
  const { ids, logits } = logitsCase(name);
  using llama = new BareLlama(path, { threads: 1, contextSize: 64, exact: true });
  let read = 0;
  const found = logits.map(({ position }) => {
    llama.decode(Int32Array.from(ids.slice(read, position + 1)));
    read = position + 1;
    return llama.logits().slice();
  });
  return distance(found, logits);
}

/**
 * Rounding of sums in another order; in 16 bits also of what is multiplied, which llama.cpp rounds to the weights' type; in 8 bits
 * of the weights themselves. Any exchange of rows, or a norm that is forgotten, gives more than 0.1.
 */
const bounds = { f32: 2e-6, f16: 3e-3, bf16: 2e-2, q8_0: 5e-2 };
/** llama.cpp looks GELU up in a table of 16 bits. */
const gemmaBound = 1e-3;

describe("llama.cpp's logits with what is converted are PyTorch's:", () => {
  test.each(Object.keys(logitsCases))('%s', async (name) => {
    const from = await makeFolder(join(folder, name), logitsCase(name));
    for (const [type, bound] of Object.entries(bounds)) {
      const out = join(folder, `${name}.${type}.gguf`);
      await convert(from, out, type);
      const isGemma = name === 'gemma3' && type === 'f32';
      expect(distanceOf(out, name), type).toBeLessThan(isGemma ? gemmaBound : bound);
    }
  });

  test('and Q8_0 has the bits of llama.cpp’s own quantizer', async () => {
    const from = await makeFolder(join(folder, 'to-quantize'), logitsCase('qwen3'));
    const [plain, direct, quantized] = ['plain', 'direct', 'quantized'].map((name) =>
      join(folder, `${name}.gguf`),
    ) as [string, string, string];
    await convert(from, plain, 'f32');
    await convert(from, direct, 'q8_0');
    await runHere({
      ...{ kind: 'quantize', from: plain, out: quantized, type: 'Q8_0' },
      ...{ importance: null, importanceText: null, requantize: false },
    });
    expect(await tensorHashes(direct)).toEqual(await tensorHashes(quantized));
  });
});

describe('One model in every layout', () => {
  const parts = ['pytorch', 'llama2', 'llama3'] as const;
  const made: Record<string, Record<string, string>> = {};

  /** Meta's folders have their tokenizer beside them, that of Hugging Face in itself. */
  async function layout(name: (typeof parts)[number]): Promise<string> {
    const path = join(folder, 'layouts', name);
    if (existsSync(path)) return path;
    await cp(logitsFixture('meta', name), path, { recursive: true });
    const tokenizer = logitsFixture('meta', 'tokenizer.model');
    await cp(
      tokenizer,
      name === 'pytorch' ? join(path, 'tokenizer.model') : join(path, '..', 'tokenizer.model'),
    );
    return path;
  }

  beforeAll(async () => {
    for (const name of parts) {
      const out = join(folder, `${name}.gguf`);
      await convert(await layout(name), out);
      made[name] = await tensorHashes(out);
    }
  });

  test.each(['llama2', 'llama3'] as const)(
    'is the same, whether Meta’s parts of %s or PyTorch files of Hugging Face are converted',
    async (name) => {
      expect(made[name]).toEqual(made['pytorch']);
      expect(distanceOf(join(folder, `${name}.gguf`), 'meta')).toBeLessThan(bounds.f16);
    },
  );

  test.each(['llama2', 'llama3'] as const)(
    'is the same when %s becomes a folder of Hugging Face on its way',
    async (name) => {
      const [hf, out] = [join(folder, `${name}-hf`), join(folder, `${name}-hf.gguf`)];
      await convert(await layout(name), hf);
      expect((await readdir(hf)).toSorted()).toEqual(['config.json', 'model.safetensors', 'tokenizer.model']);
      expect(await tensorHashes(hf)).toEqual(await tensorHashes(await layout('pytorch')));
      expect(JSON.parse(await readFile(join(hf, 'config.json'), 'utf8'))).toMatchObject({
        ...{ torch_dtype: 'float16', num_key_value_heads: 2, vocab_size: 40 },
      });
      await convert(hf, out);
      expect(await tensorHashes(out)).toEqual(made['pytorch']);
    },
  );

  test('is the same from one file of safetensors and from several', async () => {
    const sharded = await makeFolder(join(folder, 'sharded'), logitsCase('llama'));
    expect((await readdir(sharded)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(2);
    const single = join(folder, 'single');
    await convert(sharded, single);
    expect(existsSync(join(single, 'model.safetensors'))).toBe(true);
    await convert(sharded, join(folder, 'sharded.gguf'));
    await convert(single, join(folder, 'single.gguf'));
    expect(await tensorHashes(join(folder, 'single.gguf'))).toEqual(
      await tensorHashes(join(folder, 'sharded.gguf')),
    );
  });

  test('comes back from GGUF', async () => {
    // As a GGUF file in 32 bits knows it: what Hugging Face calls its tensors, in its order of rows.
    for (const name of ['llama', 'gemma3']) {
      const from = await makeFolder(join(folder, `${name}-there`), logitsCase(name));
      const [wide, out] = [join(folder, `${name}-wide`), join(folder, `${name}-back.gguf`)];
      await convert(from, wide, 'f32');
      await convert(from, out, 'f32');
      expect(await tensorHashes(out)).toEqual(await tensorHashes(wide));
    }
  });

  test('lacks a part: that is said, even of the last one', async () => {
    const path = join(folder, 'layouts', 'incomplete');
    await cp(await layout('llama2'), path, { recursive: true });
    await rm(join(path, 'consolidated.01.pth'));
    await expect(convert(path, join(folder, 'none.gguf'))).rejects.toThrow(
      /incomplete has 1 of the 2 parts that its weights were cut into/,
    );
    await cp(logitsFixture('meta', 'llama2', 'consolidated.01.pth'), join(path, 'consolidated.01.pth'));
    await rm(join(path, 'consolidated.00.pth'));
    await expect(convert(path, join(folder, 'none.gguf'))).rejects.toThrow(/no part 0/);
  });
});

describe('What is no sound model is refused in a sentence:', () => {
  const zeros = (shape: number[]): MemoryTensor => ({
    ...{ type: tensorTypes.F16, shape, bytes: new Uint8Array(2 * shape.reduce((a, b) => a * b, 1)) },
  });
  type Change = (tensors: Map<string, MemoryTensor>) => void;
  const remove =
    (...names: string[]): Change =>
    (tensors) =>
      names.forEach((name) => tensors.delete(name));
  const add =
    (name: string, shape: number[]): Change =>
    (tensors) =>
      tensors.set(name, zeros(shape));

  test.each<[what: string, sentence: RegExp, config: Record<string, unknown>, change: Change | undefined]>([
    ['an unknown architecture', /that Puna does not convert: "mamba"/, { model_type: 'mamba' }, undefined],
    [
      ...(['a head for something else', /"LlamaForSequenceClassification" cannot be converted/] as const),
      { architectures: ['LlamaForSequenceClassification'] },
      undefined,
    ],
    [
      ...(['no architecture', /config\.json lacks architectures/] as const),
      { architectures: undefined },
      undefined,
    ],
    [
      ...([
        'a tensor that is missing',
        /lacks 1 of the 21 .*: "model\.layers\.1\.mlp\.up_proj\.weight"/,
      ] as const),
      {},
      remove('model.layers.1.mlp.up_proj.weight'),
    ],
    [
      'a layer that is missing',
      /lacks 9 of the 30 .*: "model\.layers\.2\..* and 4 more/,
      { num_hidden_layers: 3 },
      undefined,
    ],
    [
      ...(['a layer too many', /a llama of 1 layers does not have: "model\.layers\.1\./] as const),
      { num_hidden_layers: 1 },
      undefined,
    ],
    ['no head', /lacks 1 .*: "lm_head\.weight"/, {}, remove('lm_head.weight')],
    [
      ...(['biases that are missing', /lacks 8 of the 29 .*q_proj\.bias/] as const),
      { attention_bias: true },
      undefined,
    ],
    [
      ...([
        'tensors of something else',
        /does not have: "model\.layers\.0\.self_attn\.q_norm\.weight"/,
      ] as const),
      {},
      add('model.layers.0.self_attn.q_norm.weight', [8]),
    ],
    [
      'a vocabulary of another size',
      /counts 320 tokens, the embedding has 307 rows/,
      { vocab_size: 320 },
      undefined,
    ],
    [
      ...(['another width', /has the shape \[307, 32\], where config\.json asks for \[307, 64\]/] as const),
      { hidden_size: 64, head_dim: 16 },
      undefined,
    ],
    [
      'heads that do not share the rows',
      /q_proj.* has the shape \[32, 32\], where config\.json asks for \[40, 32\]/,
      { num_attention_heads: 5, num_key_value_heads: 1 },
      undefined,
    ],
    [
      ...(['keys for no number of heads', /4 heads share 3 of keys, no divisor/] as const),
      { num_key_value_heads: 3 },
      undefined,
    ],
    [
      ...(['a matrix that is a vector', /up_proj.* has the shape \[1024\]/] as const),
      {},
      add('model.layers.0.mlp.up_proj.weight', [1024]),
    ],
  ])('%s', async (what, sentence, config, change) => {
    const from = await makeFolder(
      join(folder, what),
      { ...logitsCase('llama'), config },
      change ?? (() => undefined),
    );
    const out = join(folder, `${what}.gguf`);
    await expect(convert(from, out)).rejects.toThrow(sentence);
    expect((await readdir(folder)).filter((name) => name.includes(`${what}.gguf`))).toEqual([]);
  });

  test('no tokenizer', async () => {
    const from = await makeFolder(join(folder, 'speechless'), logitsCase('llama'));
    await rm(join(from, 'tokenizer.json'));
    await expect(convert(from, join(folder, 'speechless.gguf'))).rejects.toThrow(/has no tokenizer/);
  });

  test('a Gemma that scales attention as llama.cpp does not', async () => {
    const gemma = { ...logitsCase('gemma3'), config: { query_pre_attn_scalar: 256 } };
    const from = await makeFolder(join(folder, 'scaled'), gemma);
    await expect(convert(from, join(folder, 'scaled.gguf'))).rejects.toThrow(/by the root of 256/);
  });

  test('no configuration at all', async () => {
    const from = await makeFolder(join(folder, 'undescribed'), logitsCase('qwen2'));
    await rm(join(from, 'config.json'));
    await expect(convert(from, join(folder, 'undescribed.gguf'))).rejects.toThrow(/has tensors only/);
  });

  test('values that are not numbers are told of by name, and written as they are', async () => {
    const damage = (tensors: Map<string, MemoryTensor>) => {
      // Of 16 bits: infinity among the last numbers of one, NaN as the first one of another.
      tensors.get('model.layers.1.mlp.up_proj.weight')?.bytes.set([0x00, 0x7c], 2046);
      tensors.get('model.norm.weight')?.bytes.set([0x01, 0xfc], 0);
    };
    const from = await makeFolder(join(folder, 'damaged'), logitsCase('llama'), damage);
    for (const [out, type] of [
      ['damaged.gguf', null],
      ['damaged.q8_0.gguf', 'q8_0'],
      ['damaged-copy', null],
    ] as const) {
      const { notes } = await convert(from, join(folder, out), type);
      expect(notes.join()).toMatch(
        /"model\.layers\.1\.mlp\.up_proj\.weight".* have values that are not numbers/,
      );
      expect(notes.join()).toContain('"model.norm.weight"');
      expect(notes.join()).not.toContain('q_proj');
    }
  });

  test('values that F16 has no room for are told of, too', async () => {
    const enlarge = (tensors: Map<string, MemoryTensor>) => {
      // 2^100 in BF16.
      tensors.get('model.layers.0.mlp.up_proj.weight')?.bytes.set([0x80, 0x71], 4);
    };
    const from = await makeFolder(join(folder, 'large'), logitsCase('qwen2'), enlarge);
    const { notes } = await convert(from, join(folder, 'large.gguf'), 'f16');
    expect(notes).toEqual([
      expect.stringMatching(/^"model\.layers\.0\.mlp\.up_proj\.weight" has values .* too large/),
    ]);
    expect((await convert(from, join(folder, 'large.bf16.gguf'), 'bf16')).notes).toEqual([]);
  });
});

describe('A converted model', () => {
  test.each([
    ['f32', 0, 'F32'],
    ['f16', 1, 'F16'],
    ['bf16', 32, 'BF16'],
    ['q8_0', 7, 'Q8_0'],
    [null, 32, 'BF16'],
  ] as const)('as %s says what it is, and keeps norms and biases exact', async (type, fileType, matrices) => {
    const from = await makeFolder(join(folder, `Tiny-Qwen-${type}`), logitsCase('qwen2'));
    const out = join(folder, `tiny ${type}.gguf`);
    await convert(from, out, type);
    const { metadata, tensors } = await readModelFile(out);
    expect(metadataString(metadata, 'general.name')).toBe(`Tiny-Qwen-${type}`);
    expect(metadataString(metadata, 'general.architecture')).toBe('qwen2');
    expect(metadataNumber(metadata, 'general.file_type')).toBe(fileType);
    const types = (isVector: boolean) => {
      const chosen = tensors.filter(({ shape }) => (shape.length === 1) === isVector);
      return new Set(chosen.map((tensor) => tensor.type.name));
    };
    expect(types(false)).toEqual(new Set([matrices]));
    expect(types(true)).toEqual(new Set(['F32']));
    expect(tensors.filter(({ name }) => name.endsWith('.bias'))).toHaveLength(3);
  });

  test('is called as its repository is, where its folder is called by a number', async () => {
    const snapshot = join(folder, 'models--tiny--Qwen-Tiny', 'snapshots', '0123456789abcdef');
    await makeFolder(snapshot, logitsCase('qwen2'));
    const out = join(folder, 'from-cache.gguf');
    await convert(snapshot, out);
    expect(metadataString((await readModelFile(out)).metadata, 'general.name')).toBe('Qwen-Tiny');
  });
});

describe('puna convert', () => {
  const jsonLines = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string } & Record<string, unknown>);

  test('tells how it goes, and makes a file that Puna chats with', async () => {
    const from = await makeFolder(join(folder, 'for-the-command'), logitsCase('llama'));
    const out = join(folder, 'by-command.gguf');
    const { status, stdout, stderr } = await run(['convert', from, '--out', out, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = jsonLines(stdout);
    expect(lines.some(({ type, phase }) => type === 'progress' && phase === 'writing')).toBe(true);
    expect(lines.at(-1)).toMatchObject({ type: 'result', out, notes: [], proof: { kind: 'exact' } });

    const words = ['chat', '--model', out, '--prompt', 'hi', '--max-tokens', '4', '--json'];
    const chat = await run(words);
    expect(chat.status).toBe(0);
    expect(jsonLines(chat.stdout).at(-1)).toMatchObject({ type: 'result' });

    const again = await run(['convert', from, '--out', out]);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^puna: .*by-command\.gguf is there already\. [^\n]+\n$/);
    const into = await run(['convert', from, '--out', from]);
    expect(into.status).toBe(1);
    expect(into.stderr).toMatch(/^puna: .* is to be read and written at once\./);
  });

  test('refuses folders that are there, types that are none, and wrong words', async () => {
    const from = await makeFolder(join(folder, 'for-refusals'), logitsCase('qwen3'));
    const [out, there] = [join(folder, 'refused.gguf'), join(folder, 'there')];
    await mkdir(there);
    await writeFile(join(there, 'file'), '');
    const cases: [words: string[], status: number, stderr: RegExp][] = [
      [[from, '--out', there], 1, /^puna: The folder .*there is there already\. [^\n]+\n$/],
      [[from, '--out', out, '--type', 'f12'], 1, /^puna: There is no type f12\. Choose one of .*Q4_K_M/],
      [[from, '--out', join(folder, 'new'), '--type', 'q8_0'], 1, /cannot have the type q8_0/],
      [[join(folder, 'nowhere'), '--out', out], 1, /^puna: [^\n]*nowhere[^\n]*\n$/],
      [[from], 2, /^error: required option '--out <file>' not specified\n$/],
      [['--out', out], 2, /^error: missing required argument 'from'\n$/],
    ];
    for (const [words, status, stderr] of cases) {
      const found = await run(['convert', ...words]);
      expect(found).toMatchObject({ status, stdout: '' });
      expect(found.stderr).toMatch(stderr);
    }
    expect((await readdir(folder)).filter((name) => /refused|^\.?new/.test(name))).toEqual([]);
  });
});

describe('puna inspect', () => {
  test.each<[path: string, expected: Record<string, unknown>]>([
    [
      logitsFixture('llama'),
      {
        ...{ kind: 'model', layout: 'hugging-face', architecture: 'llama', parameters: 32_096, parts: 2 },
        ...{ quantization: 'F16', contextLength: 128, hasChatTemplate: false },
      },
    ],
    [
      logitsFixture('mistral', 'model.safetensors'),
      { kind: 'model', layout: 'hugging-face', architecture: 'llama', quantization: 'BF16' },
    ],
    [
      logitsFixture('meta', 'llama3'),
      { kind: 'model', layout: 'meta', architecture: 'llama', parameters: 4400 },
    ],
    [logitsFixture('meta', 'pytorch'), { kind: 'model', layout: 'hugging-face', parts: 2, parameters: 4400 }],
    [
      'tests/fixtures/weights/formats/types.safetensors',
      { kind: 'tensors', layout: 'safetensors', architecture: null },
    ],
    ['tests/fixtures/weights/formats/views.bin', { kind: 'tensors', layout: 'pytorch', architecture: null }],
    [
      'tests/fixtures/weights/adapters/llama-lora',
      { kind: 'adapter', layout: 'peft', base: 'tiny/llama', quantization: 'F32' },
    ],
    ['tests/fixtures/weights/quantize/llama.imatrix.dat', { kind: 'importance', layout: 'other' }],
    ['tests/fixtures/weights/quantize/llama.imatrix.gguf', { kind: 'importance', layout: 'gguf' }],
  ])('says what %s is', async (path, expected) => {
    const { status, stdout } = await run(['inspect', path, '--json']);
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as { tensors: { name: string; type: string; shape: number[] }[] };
    expect(result).toMatchObject({ type: 'result', ...expected });
    expect(result.tensors.length).toBeGreaterThan(0);
    expect(result.tensors[0]).toEqual({
      ...{ name: expect.any(String), type: expect.any(String), bytes: expect.any(Number) },
      shape: expect.any(Array),
    });
    const table = await run(['inspect', path]);
    expect(table.stdout).toMatch(/^File +\S.*\nKind +\S/);
  });

  test('says what a recipe is', async () => {
    const path = join(folder, 'recipe.yaml');
    await writeFile(
      path,
      'models:\n  - model: a\n  - model: b\nmerge_method: linear\nparameters: {weight: 1}\n',
    );
    expect((await run(['inspect', path])).stdout).toMatch(/Kind +recipe of a merge[^]*linear/);
    const result = JSON.parse((await run(['inspect', path, '--json'])).stdout) as object;
    expect(result).toMatchObject({ kind: 'recipe', layout: 'other', tensors: [] });
  });

  test('says what a dataset is', async () => {
    const path = join(folder, 'examples.jsonl');
    // With a brace in the ninth place, where safetensors have one.
    const turns = [
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ];
    const lines = [{ abcd: {}, conversations: turns }, { conversations: turns }, { conversations: [] }];
    await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect((await run(['inspect', path])).stdout).toMatch(/Kind +dataset\nConversations +2 with 4 turns/);
    expect(JSON.parse((await run(['inspect', path, '--json'])).stdout)).toMatchObject({
      ...{ type: 'result', path, kind: 'dataset', examples: 2, conversations: 2, texts: 0, characters: 14 },
      skipped: [{ count: 1 }],
    });
  });

  test('says of what is none of these that it does not know it', async () => {
    const path = join(folder, 'noise.xyz');
    await writeFile(
      path,
      Uint8Array.from({ length: 4096 }, (_, index) => (index * 37) % 256),
    );
    const found = await run(['inspect', path]);
    expect(found.status).toBe(1);
    expect(found.stderr).toMatch(/^puna: .*noise\.xyz is nothing that Puna knows\. [^\n]+\n$/);
    expect((await run(['inspect', join(folder, 'nothing')])).status).toBe(1);
    expect((await run(['inspect'])).status).toBe(2);
  });
});
