import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Engine, launchChildProcess } from '../src/main/engine/index.ts';
import { safetensorsHeader } from '../src/main/weights/formats/safetensors-writer.ts';
import { bytesOf, tensorTypes } from '../src/main/weights/formats/tensor.ts';
import type { WeightsJobs, WeightsResult } from '../src/main/weights/messages.ts';
import { median } from './median.ts';

/**
 * How fast a delta is applied, and how much memory that takes, relative to copying the same bytes on the same disk: base and delta
 * of `--gigabytes` together in float16, in the shape of a 7B Llama of fewer layers. Both end on the disk (`cp`, then `sync`). They take
 * turns, so that a busy machine slows both.
 *
 *     npm run bench:delta -- [--gigabytes N] [--rounds N] [--folder DIR] [--python FILE]
 *
 * With `--python`, FastChat's arithmetic beside it (fschat's apply_delta.py reads and writes the same files).
 */
const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    python: { type: 'string' },
  },
});
/** What Puna must reach, relative to a copy, and how much memory it may take beside the largest tensor. */
const wanted = { ratio: 0.7, megabytes: 500 };
/** LLaMA 7B. */
const shape = { embedding: 4096, feedForward: 11_008, vocabulary: 32_000 };
/** Random numbers are made once and written again and again. */
const pattern = randomHalves(8 * 1024 * 1024);

const folder = await mkdtemp(join(values.folder, 'puna-bench-'));
try {
  const [base, delta] = [join(folder, 'base'), join(folder, 'delta')];
  const { embedding: e, feedForward: f, vocabulary: v } = shape;
  const layerBytes = 2 * (4 * e * e + 3 * e * f + 2 * e);
  const outerBytes = 2 * (2 * v * e + e);
  const layers = Math.max(1, Math.ceil((Number(values.gigabytes) * 1e9 * 0.5 - outerBytes) / layerBytes));
  for (const path of [base, delta]) await buildModel(path, layers);
  const inputBytes = 2 * (await stat(join(base, 'model.safetensors'))).size;

  const rounds: {
    copy: number;
    puna: number;
    fastchat: { time: number; megabytes: number } | null;
    result: WeightsResult;
  }[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const copy = await seconds(() => copyBoth([base, delta], join(folder, 'copy')));
    await rm(join(folder, 'copy'), { recursive: true });
    const out = join(folder, 'out');
    let result: WeightsResult | undefined;
    const puna = await seconds(async () => (result = await applied(base, delta, out)));
    await rm(out, { recursive: true });
    const fastchat = values.python ? await fastChat(values.python, base, delta) : null;
    if (result) rounds.push({ copy, puna, fastchat, result });
  }

  // A copy reads and writes all inputs; Puna reads them and writes half as much. Both are told per byte that is read.
  const ratios = rounds.map(({ copy, puna }) => copy / puna);
  const largestTensor = (2 * v * e) / 1e6;
  const peak = Math.max(...rounds.map(({ result }) => result.peakMemoryBytes)) / 1e6;
  const perSecond = (time: number) => `${Math.round(inputBytes / 1e6 / time)} MB/s`;
  console.log(
    `${(inputBytes / 1e9).toFixed(1)} GB of base and delta in float16, ${layers} layers; medians of ${rounds.length} rounds`,
  );
  console.table({
    cp: { 'inputs a second': perSecond(median(rounds.map(({ copy }) => copy))) },
    Puna: {
      'inputs a second': perSecond(median(rounds.map(({ puna }) => puna))),
      'peak MB': Math.round(peak),
    },
    ...(values.python && {
      FastChat: {
        'inputs a second': perSecond(median(rounds.flatMap(({ fastchat }) => fastchat?.time ?? []))),
        'peak MB': Math.round(Math.max(...rounds.map(({ fastchat }) => fastchat?.megabytes ?? 0))),
      },
    }),
  });
  const ratio = median(ratios);
  console.log(
    `Puna : cp = ${ratio.toFixed(2)} (${ratios.map((each) => each.toFixed(2)).join(', ')}; wanted: ≥ ${wanted.ratio})`,
  );
  console.log(
    `Peak memory ${Math.round(peak)} MB (wanted: ≤ ${wanted.megabytes} + ${Math.round(largestTensor)} MB)`,
  );
  if (ratio < wanted.ratio || peak > wanted.megabytes + largestTensor) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function copyBoth(from: readonly string[], to: string): Promise<void> {
  await mkdir(to);
  for (const path of from) await promisify(execFile)('cp', ['-r', path, to]);
  await promisify(execFile)('sync', ['-f', to]);
}

async function applied(base: string, delta: string, out: string): Promise<WeightsResult> {
  const engine = new Engine<WeightsJobs>({ entry: 'weights-engine', launch: launchChildProcess });
  try {
    return await engine.run('run', { kind: 'delta-apply', base, delta, out, type: null, anyBase: false });
  } finally {
    await engine.stop();
  }
}

/** FastChat's way: both models are loaded, added, and saved. */
async function fastChat(
  python: string,
  base: string,
  delta: string,
): Promise<{ time: number; megabytes: number }> {
  const script = join(import.meta.dirname, 'delta-fastchat.py');
  const out = join(folder, 'fastchat');
  let kilobytes = 0;
  const time = await seconds(async () => {
    const { stdout } = await promisify(execFile)(python, [script, base, delta, out]);
    kilobytes = Number(stdout.trim());
    await promisify(execFile)('sync', ['-f', out]);
  });
  await rm(out, { recursive: true, force: true });
  return { time, megabytes: kilobytes / 1000 };
}

async function buildModel(path: string, layers: number): Promise<void> {
  await mkdir(path);
  const { embedding: e, feedForward: f, vocabulary: v } = shape;
  const type = tensorTypes.F16;
  const tensors = [
    { name: 'model.embed_tokens.weight', type, shape: [v, e] },
    ...Array.from({ length: layers }, (_, layer) => {
      const matrix = (name: string, ...dimensions: number[]) => ({
        ...{ name: `model.layers.${layer}.${name}.weight`, type, shape: dimensions },
      });
      return [
        ...[matrix('input_layernorm', e), matrix('post_attention_layernorm', e)],
        ...['q', 'k', 'v', 'o'].map((name) => matrix(`self_attn.${name}_proj`, e, e)),
        ...[matrix('mlp.gate_proj', f, e), matrix('mlp.up_proj', f, e), matrix('mlp.down_proj', e, f)],
      ];
    }).flat(),
    { name: 'model.norm.weight', type, shape: [e] },
    { name: 'lm_head.weight', type, shape: [v, e] },
  ];
  await using file = await open(join(path, 'model.safetensors'), 'w');
  await file.writeFile(safetensorsHeader(tensors, new Map([['format', 'pt']])));
  let left = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  for (; left > 0; left -= pattern.byteLength) {
    await file.writeFile(pattern.subarray(0, Math.min(left, pattern.byteLength)));
  }
  await file.sync();
  const config = {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', torch_dtype: 'float16' },
    ...{ hidden_size: e, intermediate_size: f, vocab_size: v, num_hidden_layers: layers },
    ...{ num_attention_heads: 32, num_key_value_heads: 32, tie_word_embeddings: false },
  };
  await writeFile(join(path, 'config.json'), JSON.stringify(config));
}

/** Halves between −2 and 2, of all kinds of bits. */
function randomHalves(bytes: number): Uint8Array {
  const halves = new Uint16Array(bytes / 2);
  let state = 1;
  for (let index = 0; index < halves.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    halves[index] = (state >>> 16) & 0xbfff;
  }
  return new Uint8Array(halves.buffer);
}
