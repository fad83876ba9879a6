import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Adapter,
  checkAdapterFits,
  openAdapter,
  planAdapterGguf,
  planAdapterPeft,
  writeAdapterGguf,
  writeAdapterPeft,
} from '../../src/main/weights/adapters/index.ts';
import { baseMetadata } from '../../src/main/weights/base-model.ts';
import { type GgufValue, readGguf, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { safetensorsHeader } from '../../src/main/weights/formats/safetensors-writer.ts';
import { tensorTypes } from '../../src/main/weights/formats/tensor.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import type { ModelSource } from '../../src/main/weights/sources/model-source.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';
import { anyBaseAdvice } from '../../src/shared/other-base.ts';
import { adapterExpectations, adapterFixture, ggufContents, readBytes } from '../support/adapter-fixtures.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { rewrite } from '../support/rewritten-gguf.ts';
import { temporaryFolder } from '../support/shell.ts';

const expected = await adapterExpectations();
const options = { signature: 'test' };
const names = Object.keys(expected.gguf);
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let inFolder: (name: string) => string;
const bases: Record<string, ModelSource> = {};
beforeAll(async () => {
  temporary = await temporaryFolder();
  inFolder = (name) => join(temporary.folder, name);
  for (const name of ['llama', 'qwen2']) bases[name] = await openModelSource(adapterFixture(name));
});
afterAll(async () => {
  for (const base of Object.values(bases)) await base[Symbol.asyncDispose]();
  await temporary.remove();
});

function baseOf(name: string): ModelSource {
  const base = bases[name.split('-')[0] ?? ''];
  if (!base) throw new Error(`There is no base for ${name}.`);
  return base;
}

async function bytesByName(adapter: Adapter): Promise<Map<string, string>> {
  const entries = planAdapterPeft(adapter).tensors.map(async (tensor) => {
    const bytes = Buffer.from(await readBytes(tensor)).toString('base64');
    return [tensor.name, `${tensor.type.name} ${tensor.shape.join(' × ')} ${bytes}`] as const;
  });
  return new Map(await Promise.all(entries));
}

describe('an adapter of PEFT', () => {
  test.each([
    ['llama-lora', 4, 8, false, 8 / 4],
    ['llama-rslora', 4, 3, true, 3 / 2],
    ['llama-rslora-bin', 4, 3, true, 3 / 2],
    ['llama-pattern', 6, 8, false, 3 / 4],
    ['qwen2-lora', 4, 8, false, 8 / 4],
  ])('%s is opened with its ranks and scales', async (name, rank, alpha, rankStabilized, scale) => {
    await using adapter = await openAdapter(adapterFixture(name));
    expect(adapter).toMatchObject({ layout: 'peft', rank, alpha, rankStabilized, architecture: null });
    expect(adapter.baseName).toBe(`tiny/${name.split('-')[0]}`);
    const module = adapter.modules.get('model.layers.0.self_attn.q_proj.weight');
    expect(module).toMatchObject({ scale, a: { shape: [4, 32] }, b: { shape: [32, 4] } });
  });

  test('has ranks and alphas of its own where its patterns say so', async () => {
    await using adapter = await openAdapter(adapterFixture('llama-pattern'));
    const scales = [...adapter.modules].map(([name, { a, scale }]) => [name.slice(13), a.shape[0], scale]);
    expect(scales).toContainEqual(['1.self_attn.q_proj.weight', 4, 2]);
    expect(scales).toContainEqual(['0.self_attn.k_proj.weight', 2, 4]);
    expect(scales).toContainEqual(['1.mlp.up_proj.weight', 6, 8 / 6]);
    expect(scales).toContainEqual(['1.mlp.down_proj.weight', 4, 5 / 4]);
  });

  test('is opened by the file of its weights, too', async () => {
    await using adapter = await openAdapter(join(adapterFixture('llama-lora'), 'adapter_model.safetensors'));
    expect(adapter.modules.size).toBe(14);
  });

  test.each(names.filter((name) => name !== 'llama-pattern'))(
    "%s becomes GGUF tensors of gguf-py's names, with rows permuted as llama.cpp's converter does",
    async (name) => {
      await using adapter = await openAdapter(adapterFixture(name));
      const { tensors, metadata } = await planAdapterGguf(adapter, baseOf(name));
      const found = tensors.map(async (tensor) => {
        const sha256 = createHash('sha256')
          .update(await readBytes(tensor))
          .digest('hex');
        return [tensor.name, { shape: tensor.shape.toReversed(), sha256 }] as const;
      });
      expect(Object.fromEntries(await Promise.all(found))).toEqual(expected.gguf[name]);
      const alpha = name === 'llama-rslora' ? 3 * 2 : adapter.alpha;
      expect(metadata.get('adapter.lora.alpha')).toEqual({ type: 'float32', value: alpha });
      expect(metadata.get('adapter.type')?.value).toBe('lora');
      expect(metadata.get('general.type')?.value).toBe('adapter');
    },
  );

  test('with alphas of its own has the rest of them multiplied into B, and says where', async () => {
    await using adapter = await openAdapter(adapterFixture('llama-pattern'));
    const { tensors, notes } = await planAdapterGguf(adapter, baseOf('llama'));
    const other = await Promise.all(
      tensors.map(async (tensor) => {
        const sha256 = createHash('sha256')
          .update(await readBytes(tensor))
          .digest('hex');
        return sha256 === expected.gguf['llama-pattern']?.[tensor.name]?.sha256 ? [] : [tensor.name];
      }),
    );
    const folded = ['blk.0.attn_q', 'blk.0.ffn_down', 'blk.1.ffn_down'].map(
      (name) => `${name}.weight.lora_b`,
    );
    expect(other.flat().toSorted()).toEqual(folded);
    expect(notes.join()).toContain('one alpha for all weights');
    const down = adapter.modules.get('model.layers.1.mlp.down_proj.weight');
    const floats = async (found: Parameters<typeof readBytes>[0]) =>
      new Float32Array((await readBytes(found)).slice().buffer);
    const mine = await floats(tensors.find(({ name }) => name === 'blk.1.ffn_down.weight.lora_b'));
    expect(mine).toEqual((await floats(down?.b)).map((number) => number * (5 / 8)));
  });
});

describe('there and back', () => {
  test.each(names)(
    '%s keeps its bytes and its configuration through GGUF, without the base on the way back',
    async (name) => {
      const [gguf, folder] = [inFolder(`${name}.gguf`), inFolder(`${name}-back`)];
      await using adapter = await openAdapter(adapterFixture(name));
      await writeAdapterGguf(adapter, baseOf(name), gguf, options);
      await using stored = await openAdapter(gguf);
      await writeAdapterPeft(stored, folder, options);
      await using back = await openAdapter(folder);
      const [before, after] = [await bytesByName(adapter), await bytesByName(back)];
      // What was multiplied into B stays there.
      const isFolded = ([key]: [string, unknown]) =>
        name === 'llama-pattern' && /(0\.self_attn\.q_proj|down_proj)\.lora_B/.test(key);
      expect([...after].filter((entry) => !isFolded(entry))).toEqual(
        [...before].filter((entry) => !isFolded(entry)),
      );
      for (const [weight, { scale }] of adapter.modules) {
        const folded = isFolded([weight.replace('.weight', '.lora_B'), null]);
        if (!folded) expect(back.modules.get(weight)?.scale).toBeCloseTo(scale, 6);
      }
      if (name !== 'llama-pattern') expect(back.config).toEqual(adapter.config);
    },
  );

  test.each([4, 1])('an adapter of Puna in rank %d is the same file after PEFT had it', async (rank) => {
    const model = await buildTinyModel(inFolder('base.gguf'));
    const plain = await buildTinyAdapter(inFolder('plain.gguf'), { rank });
    const path = inFolder('puna.gguf');
    const kept: [string, GgufValue][] = [
      ...baseMetadata(await readModelFile(model)),
      ['puna.training', { type: 'string', value: '{"steps":3}' }],
    ];
    const { metadata, tensors, dataOffset } = await readGguf(plain);
    const file = await readFile(plain);
    // As training writes it, without dimensions of one at the end.
    await writeGguf(path, {
      metadata: new Map([...metadata, ...kept]),
      tensors: tensors.map(({ name, type, shape, offset, bytes }) => ({
        ...{ name, type: type.name },
        shape: shape.slice(0, shape.findLastIndex((length) => length !== 1) + 1),
        data: file.subarray(dataOffset + offset, dataOffset + offset + bytes),
      })),
    });
    const [folder, back] = [inFolder(`puna-${rank}`), inFolder('puna-back.gguf')];
    await using base = await openModelSource(model);
    await using adapter = await openAdapter(path, { base });
    expect(adapter.baseName).toBe('Tiny F32');
    await writeAdapterPeft(adapter, folder, options);
    await using peft = await openAdapter(folder);
    await writeAdapterGguf(peft, null, back, options);
    expect(await readFile(back)).toEqual(await readFile(path));
    await rm(back);
  });

  test('rows of queries and keys are put in order by the base, where the adapter does not tell its heads', async () => {
    const path = await buildTinyAdapter(inFolder('headless.gguf'));
    await expect(openAdapter(path)).rejects.toMatchObject({
      message: `${path} does not say how many attention heads its model has, which decides the order of its rows.`,
      remedy: 'Name the model that it is for, too (--base).',
    });
    await using base = await openModelSource(await buildTinyModel(inFolder('heads.gguf')));
    await using adapter = await openAdapter(path, { base });
    expect(adapter.heads).toEqual({ query: 4, key: 2 });
  });

  test('targets and patterns of a new configuration mean the modules that there are and no others', async () => {
    await using adapter = await openAdapter(adapterFixture('llama-pattern'));
    const { config } = planAdapterPeft({ ...adapter, config: null });
    expect(config).toMatchObject({
      r: 4,
      lora_alpha: 8,
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      use_rslora: false,
    });
    expect(config['target_modules']).toHaveLength(7);
    expect(config['rank_pattern']).toEqual({
      'model.layers.0.self_attn.k_proj': 2,
      'model.layers.1.self_attn.k_proj': 2,
      'model.layers.1.mlp.up_proj': 6,
    });
    const some = new Map([...adapter.modules].filter(([name]) => name.includes('.1.')));
    expect(planAdapterPeft({ ...adapter, modules: some, config: null }).config['target_modules']).toContain(
      'model.layers.1.mlp.up_proj',
    );
  });
});

describe('a base', () => {
  test('of other shapes is refused with the weight, in the names of its own layout', async () => {
    await using adapter = await openAdapter(adapterFixture('llama-lora'));
    await using base = await openModelSource(await buildTinyModel(inFolder('other.gguf')));
    await expect(checkAdapterFits(base, adapter, { anyBase: true })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^llama-lora changes "blk\.0\.\w+\.weight" of .+, which is of .+ in this model\.$/,
      ) as string,
    });
    await using wider = await openAdapter(await buildTinyAdapter(inFolder('wider.gguf')), { base });
    await expect(checkAdapterFits(baseOf('llama'), wider, { anyBase: true })).rejects.toMatchObject({
      message:
        'wider.gguf changes "model.layers.0.self_attn.q_proj.weight" of 64 × 64, which is of 32 × 32 in this model.',
    });
    await expect(checkAdapterFits(baseOf('qwen2'), wider, { anyBase: true })).rejects.toMatchObject({
      message: 'wider.gguf is an adapter for "llama" models, and this is a "qwen2" model.',
    });
  });

  test('that it was not trained on is refused unless that is allowed', async () => {
    const trainedOn = await buildTinyModel(inFolder('trained-on.gguf'));
    const path = inFolder('told.gguf');
    await rewrite(await buildTinyAdapter(inFolder('untold.gguf')), path, {
      metadata: baseMetadata(await readModelFile(trainedOn)),
    });
    await using right = await openModelSource(trainedOn);
    await using other = await openModelSource(
      await buildTinyModel(inFolder('f16.gguf'), { tensorType: 'F16' }),
    );
    await using adapter = await openAdapter(path, { base: right });
    await checkAdapterFits(right, adapter, { anyBase: false });
    await checkAdapterFits(other, adapter, { anyBase: true });
    await expect(checkAdapterFits(other, adapter, { anyBase: false })).rejects.toMatchObject({
      message: 'told.gguf was trained on "Tiny F32", and this model is another file.',
      remedy: expect.stringContaining(anyBaseAdvice) as string,
    });
  });

  test('whose embeddings and head are one has no place in GGUF for a change of one of them', async () => {
    await using adapter = await openAdapter(adapterFixture('llama-outer'));
    const base = baseOf('llama');
    const tied = {
      ...base,
      tensors: new Map([...base.tensors].filter(([name]) => name !== 'lm_head.weight')),
    };
    await expect(planAdapterGguf(adapter, tied)).rejects.toMatchObject({
      message: expect.stringContaining(
        'llama.cpp cannot do that where embeddings and head are one',
      ) as string,
    });
  });

  test('is needed for an adapter that does not tell its architecture', async () => {
    await using adapter = await openAdapter(adapterFixture('qwen2-lora'));
    await expect(planAdapterGguf(adapter, null)).rejects.toMatchObject({
      message: `${adapterFixture('qwen2-lora')} does not say what kind of model it is for.`,
    });
  });
});

describe('what is no plain LoRA is refused', () => {
  async function withConfig(changes: Record<string, unknown>): Promise<string> {
    const folder = inFolder(
      `refused-${createHash('sha256').update(JSON.stringify(changes)).digest('hex').slice(0, 8)}`,
    );
    await cp(adapterFixture('llama-rslora'), folder, { recursive: true });
    const path = join(folder, 'adapter_config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...config, ...changes }));
    return folder;
  }

  test.each([
    [{ use_dora: true }, 'is a DoRA, which scales the weights besides (use_dora: true).'],
    [{ bias: 'lora_only' }, 'has trained biases (bias: lora_only).'],
    [{ modules_to_save: ['lm_head'] }, 'replaces whole parts of the model (modules_to_save).'],
    [{ fan_in_fan_out: true }, 'is for weights that lie the other way round (fan_in_fan_out: true).'],
    [
      { init_lora_weights: 'pissa_niter_4' },
      'works only on a base that was changed for it (init_lora_weights: pissa_niter_4).',
    ],
    [{ alora_invocation_tokens: [1] }, 'begins to work at certain tokens only (alora_invocation_tokens).'],
    [
      { target_parameters: ['experts.w'] },
      'is for parameters that are no linear layers (target_parameters).',
    ],
  ])('%j', async (changes, what) => {
    const folder = await withConfig(changes);
    await expect(openAdapter(folder)).rejects.toMatchObject({
      code: 'unsupported-model',
      message: `The adapter of ${join(folder, 'adapter_config.json')} ${what}`,
      remedy: expect.stringContaining('merge_and_unload') as string,
    });
  });

  test.each([
    [{ peft_type: 'IA3' }, /describes an adapter of the kind "IA3", and Puna works with LORA\.$/],
    [{ r: 'four' }, /is damaged: it does not say its r as PEFT does\.$/],
    [{ alpha_pattern: { '(a+)+$': 1 } }, /alpha_pattern has "\(a\+\)\+\$", which Puna cannot read\.$/],
  ])('%j', async (changes, message) => {
    await expect(openAdapter(await withConfig(changes))).rejects.toMatchObject({ message });
  });

  interface Described {
    name: string;
    shape: readonly number[];
  }
  async function withTensors(name: string, tensors: readonly Described[]): Promise<string> {
    const folder = inFolder(name);
    await mkdir(folder);
    await cp(join(adapterFixture('llama-lora'), 'adapter_config.json'), join(folder, 'adapter_config.json'));
    const described = tensors.map((tensor) => ({ ...tensor, type: tensorTypes.F32 }));
    const bytes = described.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const file = Buffer.concat([safetensorsHeader(described), new Uint8Array(bytes)]);
    await writeFile(join(folder, 'adapter_model.safetensors'), file);
    return folder;
  }
  const module = 'base_model.model.model.layers.0.self_attn.q_proj';

  test.each<[string, Described[], string]>([
    [
      'half',
      [{ name: `${module}.lora_A.weight`, shape: [2, 8] }],
      'for "model.layers.0.self_attn.q_proj.weight" it has A, but not B.',
    ],
    [
      'ranks',
      [
        { name: `${module}.lora_A.weight`, shape: [2, 8] },
        { name: `${module}.lora_B.weight`, shape: [8, 3] },
      ],
      'A of 2 × 8 (F32) and B of 8 × 3 (F32) do not go together.',
    ],
    [
      'magnitudes',
      [{ name: `${module}.lora_magnitude_vector.weight`, shape: [8] }],
      `no part of a LoRA: "${module}.lora_magni`,
    ],
    [
      'convolution',
      [
        { name: `${module}.lora_A.weight`, shape: [2, 8, 3, 3] },
        { name: `${module}.lora_B.weight`, shape: [8, 2, 1, 1] },
      ],
      'and Puna works with pairs of matrices.',
    ],
    ['nothing', [], 'has no adapter in it.'],
  ])('tensors: %s', async (name, tensors, message) => {
    await expect(openAdapter(await withTensors(name, tensors))).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
    });
  });

  test('a folder without configuration or weights, and what is no adapter at all', async () => {
    await expect(openAdapter(adapterFixture('llama'))).rejects.toMatchObject({
      message: `${adapterFixture('llama')} has no adapter_config.json, and so is no adapter of PEFT.`,
    });
    await expect(openAdapter(adapterFixture('llama/model.safetensors'))).rejects.toMatchObject({
      code: 'file-missing',
    });
    await expect(openAdapter(adapterFixture('make.py'))).rejects.toMatchObject({
      message: /is no adapter\.$/,
    });
    await expect(openAdapter(inFolder('nowhere'))).rejects.toMatchObject({ code: 'file-missing' });
    const model = await buildTinyModel(inFolder('a-model.gguf'));
    await expect(openAdapter(model)).rejects.toMatchObject({ message: `${model} is no adapter.` });
  });

  test.each<[string, [string, GgufValue][], string]>([
    [
      'a control vector',
      [['adapter.type', { type: 'string', value: 'control_vector' }]],
      'of the kind "control_vector"',
    ],
    [
      'an unknown architecture',
      [['general.architecture', { type: 'string', value: 'mamba' }]],
      'an adapter for "mamba" models',
    ],
    [
      'an activated LoRA',
      [['adapter.alora.invocation_tokens', { type: 'array', of: 'uint32', value: Uint32Array.of(1) }]],
      'begins to work at certain tokens only',
    ],
    [
      'heads that do not divide the rows',
      [['llama.attention.head_count', { type: 'uint32', value: 3 }]],
      'which 3 attention heads do not divide into pairs.',
    ],
  ])('in GGUF: %s', async (name, metadata, message) => {
    const path = inFolder(`${name}.gguf`);
    await rewrite(await buildTinyAdapter(inFolder('usual.gguf')), path, { metadata });
    await expect(openAdapter(path)).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
    });
  });
});

test('a GGUF file of an adapter is read by the reader of GGUF with the tensors that were planned', async () => {
  await using adapter = await openAdapter(adapterFixture('qwen2-lora'));
  const path = inFolder('read-again.gguf');
  const plan = await writeAdapterGguf(adapter, baseOf('qwen2'), path, options);
  const { tensors } = await ggufContents(path);
  expect(tensors.map(({ name }) => name)).toEqual(plan.tensors.map(({ name }) => name));
  expect(new Set(tensors.map(({ type }) => type))).toEqual(new Set(['F16']));
  expect((await readFile(path)).byteLength).toBe(plan.bytes);
});
