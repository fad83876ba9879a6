import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { tensorTypes } from '../../src/main/weights/formats/tensor.ts';
import { encodeFloats } from '../../src/main/weights/tensors/floats.ts';
import { seededRandom } from './tiny-random.ts';

/** A configuration and a tokenizer as Hugging Face's own tools wrote them (tests/fixtures/weights/convert/make.py). */
const described = resolve('tests/fixtures/weights/convert/llama');

const configSchema = z.object({
  hidden_size: z.int(),
  intermediate_size: z.int(),
  num_hidden_layers: z.int(),
  num_attention_heads: z.int(),
  num_key_value_heads: z.int(),
  vocab_size: z.int(),
});

/**
 * Writes a Hugging Face folder of a tiny Llama with random weights in F16, the same for the same seed. `change`: how far its
 * numbers are from those of seed 1, as a share of them; so that it is a model that was trained from that one. `layers`: absent for one. Gives back the path.
 */
export async function buildTinyFolder(
  folder: string,
  { change = 0, layers }: { change?: number; layers?: number } = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of ['config.json', 'tokenizer.model', 'tokenizer_config.json']) {
    await cp(join(described, name), join(folder, name));
  }
  const path = join(folder, 'config.json');
  const whole = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  if (layers !== undefined) {
    whole['num_hidden_layers'] = layers;
    await writeFile(path, JSON.stringify(whole));
  }
  const config = configSchema.parse(whole);
  const [base, other] = [seededRandom(1), seededRandom(2)];
  const random = () => base.spread(0.05) + other.spread(0.05 * change);
  const tensors = Object.entries(shapesOf(config)).map(([name, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Float32Array.from({ length: count }, () => (shape.length === 1 ? 1 : random()));
    return { name, shape, bytes: encodeFloats(tensorTypes.F16, numbers) };
  });
  await writeFile(join(folder, 'model.safetensors'), safetensors(tensors));
  return folder;
}

function shapesOf(config: z.infer<typeof configSchema>): Record<string, number[]> {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = config;
  const keys = (hidden / config.num_attention_heads) * config.num_key_value_heads;
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) =>
    Object.entries({
      'self_attn.q_proj': [hidden, hidden],
      'self_attn.k_proj': [keys, hidden],
      'self_attn.v_proj': [keys, hidden],
      'self_attn.o_proj': [hidden, hidden],
      'mlp.gate_proj': [inner, hidden],
      'mlp.up_proj': [inner, hidden],
      'mlp.down_proj': [hidden, inner],
      input_layernorm: [hidden],
      post_attention_layernorm: [hidden],
    }).map(([name, shape]) => [`model.layers.${layer}.${name}.weight`, shape] as const),
  ).flat();
  return {
    'model.embed_tokens.weight': [vocabulary, hidden],
    ...Object.fromEntries(layers),
    'model.norm.weight': [hidden],
    'lm_head.weight': [vocabulary, hidden],
  };
}

/** The file: length of the header, header, and the bytes in its order. */
function safetensors(tensors: readonly { name: string; shape: number[]; bytes: Uint8Array }[]): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, shape, bytes }) => {
      const start = end;
      end += bytes.byteLength;
      return [name, { dtype: 'F16', shape, data_offsets: [start, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text, ...tensors.map(({ bytes }) => bytes)]);
}
