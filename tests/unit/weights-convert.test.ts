import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DescribedGguf, describeGguf, metaConfig } from '../../src/main/weights/convert/index.ts';
import type { GgufValue } from '../../src/main/weights/formats/gguf.ts';
import {
  describeFixture,
  type Expected,
  expectedOf,
  filesOf,
  fixtureFolders,
  fixturePath,
} from '../support/described-folders.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let copies = 0;

beforeAll(async () => {
  temporary = await temporaryFolder();
});
afterAll(() => temporary.remove());

type Json = Record<string, unknown>;
async function jsonOf(path: string): Promise<Json> {
  return JSON.parse(await readFile(path, 'utf8')) as Json;
}

interface Changes {
  config?: Json;
  /** Files by name: what they hold, or null where they are taken away. */
  files?: Record<string, string | Uint8Array | null>;
  name?: string;
}

/** What is made of a copy of one of the folders, with changes. */
async function changed(
  folder: string,
  { config, files = {}, name = 'Tiny' }: Changes,
): Promise<DescribedGguf> {
  const copy = join(temporary.folder, `${copies++}`);
  await cp(fixturePath(folder), copy, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    if (content === null) await rm(join(copy, file));
    else await writeFile(join(copy, file), content);
  }
  return describeGguf({
    config: { ...(await jsonOf(join(copy, 'config.json'))), ...config },
    files: filesOf(copy),
    name,
  });
}

/** A value as the fixtures have it: numbers of single precision as those nearest to what Python wrote. */
function comparable(value: GgufValue | undefined): unknown {
  if (value?.type !== 'array') return value && { type: value.type, value: value.value };
  return { type: 'array', value: Array.from<unknown>(value.value as Iterable<unknown>) };
}

function single({ type, value }: { type: string; value: unknown }): unknown {
  return { type, value: type === 'float32' ? Math.fround(Number(value)) : value };
}

/** Written by the file's writer, or of no use. */
const notOurs = /^general\.(file_type|quantization_version)$|^tokenizer\.ggml\.add_sep_token$/;

function expectAll({ metadata, tensors }: Expected, found: DescribedGguf, without: RegExp = /^$/): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (notOurs.test(key) || without.test(key)) continue;
    const described = found.metadata.get(key);
    const compared =
      described?.type === 'float32'
        ? { type: 'float32', value: Math.fround(described.value) }
        : comparable(described);
    expect({ key, value: compared }).toEqual({ key, value: single(value) });
  }
  expect(found.extraTensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
  for (const [index, { values }] of tensors.entries()) {
    const tensor = found.extraTensors[index];
    expect(tensor?.shape).toEqual([values.length]);
    values.forEach((value, at) => expect((tensor?.values[at] ?? NaN) / value).toBeCloseTo(1, 6));
  }
}

describe("What llama.cpp's converter writes is written, with the same values:", () => {
  const folders = fixtureFolders().filter((folder) => Object.keys(expectedOf(folder).metadata).length > 0);
  // It gives every token of a tokenizer.json the same score, and takes </s> for text where another token is the end.
  const different: Record<string, RegExp> = { 'llama-fast': /scores|token_type/ };

  it.each(folders)('for the folder %s', async (folder) => {
    expectAll(expectedOf(folder), await describeFixture(folder), different[folder]);
  });

  const configs = JSON.parse(readFileSync(fixturePath('configs.json'), 'utf8')) as (Expected & {
    name: string;
    config: Json;
  })[];

  it.each(configs)('for the configuration: $name', async ({ config, ...expected }) => {
    const files = filesOf(fixturePath('llama-fast'));
    expectAll(expected, await describeGguf({ config, files, name: 'x' }), /^general\.name$/);
  });

  // The converter looks for the numbers of special tokens only in tokenizer.json and config.json.
  it('and no key without a reason', async () => {
    const ours = /\.(add_space_prefix|add_bos_token|add_eos_token|(eot|bos|eos|unknown|padding)_token_id)$/;
    for (const folder of folders) {
      const { metadata } = await describeFixture(folder);
      const more = [...metadata.keys()].filter((key) => !(key in expectedOf(folder).metadata));
      expect(more.filter((key) => !ours.test(key))).toEqual([]);
    }
  });
});

describe('A tokenizer', () => {
  it('in vocab.json and merges.txt is the same as in tokenizer.json', async () => {
    const { model } = (await jsonOf(fixturePath('qwen2', 'tokenizer.json'))) as {
      model: { vocab: Json; merges: string[] };
    };
    const added = Object.fromEntries(
      ['<|endoftext|>', '<|im_end|>', '<|im_start|>', '<think>', '</think>'].map((text, index) => [
        text,
        330 + index,
      ]),
    );
    const config = await jsonOf(fixturePath('qwen2', 'tokenizer_config.json'));
    const legacy = await changed('qwen2', {
      name: 'qwen2',
      files: {
        'tokenizer.json': null,
        'vocab.json': JSON.stringify(model.vocab),
        'merges.txt': `#version: 0.2\n${model.merges.join('\n')}\n`,
        'added_tokens.json': JSON.stringify(added),
        'tokenizer_config.json': JSON.stringify({ ...config, tokenizer_class: 'Qwen2Tokenizer' }),
      },
    });
    expectAll(expectedOf('qwen2'), legacy);
  });

  it('whose way of taking texts apart is not known is taken as usual, with a note', async () => {
    const json = await jsonOf(fixturePath('qwen2', 'tokenizer.json'));
    const pre = { type: 'Split', pattern: { Regex: '\\w+' }, behavior: 'Isolated', invert: false };
    const byteLevel = { type: 'ByteLevel', use_regex: false };
    const { metadata, notes } = await changed('qwen2', {
      files: {
        'tokenizer.json': JSON.stringify({
          ...json,
          pre_tokenizer: { type: 'Sequence', pretokenizers: [pre, byteLevel] },
        }),
      },
    });
    expect(metadata.get('tokenizer.ggml.pre')?.value).toBe('default');
    expect(notes).toEqual([expect.stringContaining('takes texts apart')]);
  });

  it('has each text once, since llama.cpp ends the program over a second one', async () => {
    const { metadata, notes } = await changed('llama', {
      files: { 'added_tokens.json': JSON.stringify({ '[PAD405]': 400, '</s>': 401, '': 402 }) },
    });
    const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[];
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens.slice(400, 406)).toEqual([
      '[PAD405]',
      '[PAD401]',
      '[EMPTY_402]',
      '[PAD403]',
      '[PAD404]',
      '[PAD405]]',
    ]);
    expect(notes).toEqual([expect.stringContaining('"</s>"')]);
  });

  it('has tokens beyond the model left out, if they were added, and said so', async () => {
    const { metadata, notes } = await changed('llama', {});
    expect(metadata.get('tokenizer.ggml.tokens')?.value).toHaveLength(420);
    expect(notes).toEqual([expect.stringMatching(/^A token .*"<\|im_end\|>", number 500/)]);
  });

  it('of which config.json tells the wrong numbers, as those of the first LLaMA, keeps its own', async () => {
    const { metadata } = await changed('llama', {
      config: { bos_token_id: 0, eos_token_id: 1, pad_token_id: -1 },
      files: { 'tokenizer_config.json': JSON.stringify({ bos_token: '', eos_token: '' }) },
    });
    expect(metadata.get('tokenizer.ggml.bos_token_id')?.value).toBe(1);
    expect(metadata.get('tokenizer.ggml.eos_token_id')?.value).toBe(2);
    expect(metadata.has('tokenizer.ggml.padding_token_id')).toBe(false);
  });

  it('learns from generation_config.json what else ends a reply', async () => {
    const generation = JSON.stringify({ eos_token_id: [2, 400] });
    const added = JSON.stringify({ added_tokens_decoder: { 400: { content: '<bye>', special: true } } });
    const files = {
      'generation_config.json': generation,
      'tokenizer_config.json': added,
      'added_tokens.json': '{}',
    };
    const { metadata } = await changed('llama', { files });
    expect(metadata.get('tokenizer.ggml.eot_token_id')?.value).toBe(400);
  });
});

describe('A note', () => {
  it('is written only where there is something to know', async () => {
    const noted = await Promise.all(
      fixtureFolders().map(async (folder) =>
        (await describeFixture(folder)).notes.length > 0 ? [folder] : [],
      ),
    );
    // Its tokenizer has a token more than it has room for.
    expect(noted.flat()).toEqual(['llama']);
  });

  it('tells of a tokenizer that llama.cpp can only come close to', async () => {
    const json = (await jsonOf(fixturePath('llama-fast', 'tokenizer.json'))) as {
      model: { merges: unknown[] };
    };
    const model = { ...json.model, merges: json.model.merges.slice(0, -1) };
    const { notes } = await changed('llama-fast', {
      files: { 'tokenizer.json': JSON.stringify({ ...json, model }) },
    });
    expect(notes).toEqual([expect.stringContaining('in fewer ways')]);
  });
});

describe('A chat template', () => {
  const templateOf = async (files: Record<string, string>) =>
    (await changed('phi3', { files })).metadata.get('tokenizer.chat_template')?.value;

  it('in a file of its own comes before that of tokenizer_config.json', async () => {
    expect(await templateOf({})).toBe('{{ messages }}');
    expect(await templateOf({ 'chat_template.json': '{"chat_template": "json"}' })).toBe('json');
    expect(
      await templateOf({ 'chat_template.json': '{"chat_template": "json"}', 'chat_template.jinja': 'jinja' }),
    ).toBe('jinja');
  });
});

describe('A name', () => {
  it('with which llama.cpp would look for tokens of Phi-3 is written so that it does not', async () => {
    const nameOf = async (folder: string, name: string) =>
      (await changed(folder, { name })).metadata.get('general.name')?.value;
    expect(await nameOf('phi3', 'My Phi-3 mini')).toBe('My Phi-3 mini');
    expect(await nameOf('qwen2', 'Qwen, taught by Phi-3 and phi3.5')).toBe(
      'Qwen, taught by Phi 3 and phi 3.5',
    );
  });
});

describe('One sentence says what is wrong with', () => {
  const cases: [what: string, folder: string, changes: Changes, error: Json][] = [
    [
      'another architecture',
      'llama',
      { config: { architectures: ['MambaForCausalLM'] } },
      {
        code: 'unsupported-model',
        message: expect.stringContaining('"MambaForCausalLM"'),
        remedy: expect.stringContaining('Gemma 3'),
      },
    ],
    [
      'quantized weights',
      'llama',
      { config: { quantization_config: { quant_method: 'gptq' } } },
      { code: 'unsupported-model', message: expect.stringContaining('"gptq"') },
    ],
    [
      'another activation',
      'llama',
      { config: { hidden_act: 'relu2' } },
      { code: 'unsupported-model', message: expect.stringContaining('"relu2"') },
    ],
    [
      'a rotation that llama.cpp cannot compute',
      'qwen2',
      { config: { rope_scaling: { rope_type: 'llama3', factor: 8 } } },
      { code: 'unsupported-model', message: expect.stringContaining('"llama3"') },
    ],
    [
      'too few numbers for a rotation',
      'phi3',
      { config: { rope_scaling: { type: 'longrope', long_factor: [1], short_factor: [1] } } },
      { code: 'invalid-input', message: expect.stringContaining('the 8 numbers of long_factor') },
    ],
    [
      'a configuration that lacks something',
      'llama',
      { config: { hidden_size: undefined } },
      {
        code: 'invalid-input',
        message: expect.stringContaining('config.json is not as expected at hidden_size'),
      },
    ],
    [
      'heads that cannot be divided',
      'llama',
      { config: { num_attention_heads: 5, num_key_value_heads: 5 } },
      { code: 'invalid-input', message: expect.stringContaining('5 heads share 64 numbers') },
    ],
    [
      'no tokenizer',
      'qwen2',
      { files: { 'tokenizer.json': null } },
      {
        code: 'invalid-input',
        message: expect.stringMatching(/tokenizer\.model, nor tokenizer\.json, nor vocab\.json/),
      },
    ],
    [
      'a tokenizer.json that is not JSON',
      'qwen2',
      { files: { 'tokenizer.json': '<!doctype html>' } },
      { code: 'file-damaged', message: 'tokenizer.json is not JSON.' },
    ],
    [
      'a tokenizer.model that is not whole',
      'llama',
      {
        files: { 'tokenizer.model': readFileSync(fixturePath('llama', 'tokenizer.model')).subarray(0, 3000) },
      },
      { code: 'file-damaged', message: 'tokenizer.model is not a whole SentencePiece model.' },
    ],
    [
      'a placeholder of Git LFS in the tokenizer.model’s place',
      'llama',
      { files: { 'tokenizer.model': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' } },
      { code: 'file-damaged', message: expect.stringContaining('tokenizer.model') },
    ],
    [
      'more tokens than the model has room for',
      'qwen2',
      { config: { vocab_size: 300 } },
      { code: 'invalid-input', message: 'The tokenizer has 335 tokens, the model only 300.' },
    ],
  ];

  it.each(cases)('%s', async (_, folder, changes, error) => {
    await expect(changed(folder, changes)).rejects.toMatchObject(error);
  });

  it('a config.json that holds no configuration', async () => {
    for (const config of [null, [], 'text', { architectures: 'LlamaForCausalLM' }]) {
      const described = describeGguf({ config, files: new Map(), name: 'x' });
      await expect(described).rejects.toMatchObject({ code: 'invalid-input' });
    }
  });

  it('a folder in the place of a file', async () => {
    const folder = join(temporary.folder, 'tokenizer.json');
    await mkdir(folder);
    const config = await jsonOf(fixturePath('qwen2', 'config.json'));
    const described = describeGguf({ config, files: new Map([['tokenizer.json', folder]]), name: 'x' });
    await expect(described).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe("Meta's parameters", () => {
  const published = [
    // As Meta's folders have them, with what Hugging Face's config.json of the same model says.
    {
      name: 'LLaMA 7B',
      params: { dim: 4096, multiple_of: 256, n_heads: 32, n_layers: 32, norm_eps: 1e-6, vocab_size: -1 },
      facts: { vocabSize: 32_000 },
      config: {
        intermediate_size: 11_008,
        num_key_value_heads: 32,
        max_position_embeddings: 2048,
        vocab_size: 32_000,
      },
    },
    {
      name: 'LLaMA 65B',
      params: { dim: 8192, multiple_of: 256, n_heads: 64, n_layers: 80, norm_eps: 1e-5, vocab_size: -1 },
      facts: { tensorShapes: new Map([['tok_embeddings.weight', [32_000, 8192]]]) },
      config: {
        intermediate_size: 22_016,
        num_attention_heads: 64,
        max_position_embeddings: 2048,
        vocab_size: 32_000,
      },
    },
    {
      name: 'LLaMA 2 70B',
      params: {
        dim: 8192,
        multiple_of: 4096,
        ffn_dim_multiplier: 1.3,
        n_heads: 64,
        n_kv_heads: 8,
        n_layers: 80,
        norm_eps: 1e-5,
        vocab_size: -1,
      },
      facts: { vocabSize: 32_000 },
      config: {
        intermediate_size: 28_672,
        num_key_value_heads: 8,
        max_position_embeddings: 4096,
        rms_norm_eps: 1e-5,
      },
    },
    {
      name: 'Code Llama 7B',
      params: {
        dim: 4096,
        n_layers: 32,
        n_heads: 32,
        multiple_of: 256,
        ffn_dim_multiplier: 1.0,
        norm_eps: 1e-5,
        rope_theta: 1e6,
      },
      facts: { vocabSize: 32_016 },
      config: {
        intermediate_size: 11_008,
        max_position_embeddings: 16_384,
        rope_theta: 1e6,
        vocab_size: 32_016,
      },
    },
    {
      name: 'LLaMA 3 8B',
      params: {
        dim: 4096,
        n_layers: 32,
        n_heads: 32,
        n_kv_heads: 8,
        vocab_size: 128_256,
        multiple_of: 1024,
        ffn_dim_multiplier: 1.3,
        norm_eps: 1e-5,
        rope_theta: 500_000,
      },
      facts: {},
      config: {
        intermediate_size: 14_336,
        max_position_embeddings: 8192,
        rope_scaling: null,
        vocab_size: 128_256,
      },
    },
    {
      name: 'LLaMA 3.2 1B',
      params: {
        dim: 2048,
        ffn_dim_multiplier: 1.5,
        multiple_of: 256,
        n_heads: 32,
        n_kv_heads: 8,
        n_layers: 16,
        norm_eps: 1e-5,
        rope_theta: 500_000,
        use_scaled_rope: true,
        vocab_size: 128_256,
      },
      facts: {},
      config: {
        intermediate_size: 8192,
        max_position_embeddings: 131_072,
        rope_scaling: {
          rope_type: 'llama3',
          factor: 32,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 8192,
        },
      },
    },
  ];

  it.each(published)('of $name say what its config.json says', ({ params, facts, config }) => {
    expect(metaConfig(params, facts)).toMatchObject({ architectures: ['LlamaForCausalLM'], ...config });
  });

  it('yield to what the tensors are', () => {
    const params = { dim: 64, n_heads: 4, n_layers: 1, norm_eps: 1e-5, vocab_size: 7 };
    const tensorShapes = new Map([
      ['tok_embeddings.weight', [320, 64]],
      ['layers.0.feed_forward.w1.weight', [96, 64]],
    ]);
    const config = metaConfig(params, { tensorShapes });
    expect(config).toMatchObject({ vocab_size: 320, intermediate_size: 96, tie_word_embeddings: true });
  });

  it('of something else are an error', () => {
    const params = { dim: 64, n_heads: 4, n_layers: 1, norm_eps: 1e-5, vocab_size: -1 };
    const wrong = [
      null,
      {},
      { ...params, dim: 'wide' },
      params,
      { ...params, vocab_size: 8, moe: { num_experts: 8 } },
    ];
    for (const each of wrong) {
      expect(() => metaConfig(each)).toThrow(/^(params\.json|Models with experts)/);
    }
  });
});
