import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine, launchChildProcess } from '../src/main/engine/index.ts';
import type { InferenceJobs, LoadedModel, ReplyInput } from '../src/main/inference/messages.ts';
import { defaultSampling, type Sampling } from '../src/shared/contract/index.ts';
import { median } from './median.ts';
import { benchShapes, buildBenchModel } from '../tests/support/models.ts';

/**
 * How fast Puna chats, as its main process sees it (engine process, messages between, template, sampling, text), against a
 * bare loop around llama_decode over the same libraries, model, context and threads. Both take turns in one run, so that a
 * busy machine slows both; the ratio of a round is that of neighbours, and the median of the rounds counts.
 *
 *     npm run bench:generation -- [--size 134M|376M | --model FILE] [--rounds N] [--threads N] [--prompt WORDS] [--tokens N]
 */

/** What Puna must reach of the bare loop's speed. */
const wanted = { generation: 0.9, prefill: 0.95 };

export type BareOrder =
  | { type: 'load'; path: string; threads: number; contextSize: number }
  /** Reads so many tokens anew. */
  | { type: 'read'; tokens: number[] }
  /** Writes so many tokens after what was read. */
  | { type: 'generate'; tokens: number };
export interface BareAnswer {
  done: true;
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '376M' },
    model: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string' },
    prompt: { type: 'string', default: '1200' },
    tokens: { type: 'string', default: '96' },
  },
});
if (values.size !== '134M' && values.size !== '376M') throw new Error('--size is 134M or 376M.');
const rounds = Number(values.rounds);
const generated = Number(values.tokens);

const folder = await mkdtemp(join(tmpdir(), 'puna-bench-'));
const path = values.model ?? (await buildBenchModel(join(folder, 'bench.gguf'), values.size));
const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });
const bare = fork(new URL('generation-bare.ts', import.meta.url), {
  stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
});
try {
  const settings = {
    contextSize: benchShapes[values.size].contextLength,
    gpuLayers: 0,
    threads: values.threads === undefined ? null : Number(values.threads),
  };
  const loaded = await engine.run('load', { path, settings });
  await orderBare({ type: 'load', path, threads: loaded.threads, contextSize: loaded.contextSize });
  await measure(loaded);
} finally {
  bare.disconnect();
  await engine.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(loaded: LoadedModel): Promise<void> {
  // Warms both up; every round's prompt is as long as this one.
  const { promptTokens } = await measurePuna(0);
  await measureBare(promptTokens);
  const measured: { puna: Figures; bare: Figures }[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Neither side is always the one that comes first.
    if (round % 2 === 0) {
      const puna = await measurePuna(round);
      measured.push({ puna, bare: await measureBare(promptTokens) });
    } else {
      const bare = await measureBare(promptTokens);
      measured.push({ bare, puna: await measurePuna(round) });
    }
  }
  const row = (name: keyof Figures) => ({
    puna: rounded(median(measured.map(({ puna }) => puna[name])), 1),
    bare: rounded(median(measured.map((each) => each.bare[name])), 1),
    ratio: rounded(median(measured.map((each) => each.puna[name] / each.bare[name])), 3),
  });
  const results = { prefill: row('prefill'), generation: row('generation'), sampled: row('sampled') };
  console.log(
    `${loaded.device}; prompt of ${promptTokens} tokens, reply of ${generated}; medians of ${rounds} rounds, tokens/s`,
  );
  console.table(results);
  const reached =
    Math.min(results.generation.ratio, results.sampled.ratio) >= wanted.generation &&
    results.prefill.ratio >= wanted.prefill;
  console.log(
    `wanted: generation ≥ ${wanted.generation}, prefill ≥ ${wanted.prefill}: ${reached ? 'reached' : 'missed'}`,
  );
  if (!reached) process.exitCode = 1;
}

interface Figures {
  /** Tokens/s of a prompt that is new. */
  prefill: number;
  /** Tokens/s of a greedy reply to a prompt that was read before. */
  generation: number;
  /** The same with the sampling that a new conversation has. */
  sampled: number;
}

async function measurePuna(round: number): Promise<Figures & { promptTokens: number }> {
  const greedy = { ...defaultSampling, temperature: 0, repeatPenalty: 1 };
  const prefill = await reply(round, { ...greedy, maxTokens: 1 });
  const generation = await reply(round, { ...greedy, maxTokens: generated });
  const sampled = await reply(round, { ...defaultSampling, maxTokens: generated });
  return {
    promptTokens: prefill.promptTokens,
    prefill: (prefill.promptTokens - prefill.cachedTokens) / prefill.wallSeconds,
    generation: generation.tokens / generation.wallSeconds,
    sampled: sampled.tokens / sampled.wallSeconds,
  };
}

async function reply(round: number, sampling: Sampling) {
  const input: ReplyInput = {
    systemPrompt: '',
    // Each round has a prompt of its own from its first word on, so that nothing of it is cached.
    turns: [
      {
        role: 'user',
        text: `Round ${round} ${'the people may find water '.repeat(Number(values.prompt) / 5)}`,
      },
    ],
    ...{ continued: null, adapters: [], sampling },
  };
  const begin = performance.now();
  let text = '';
  const result = await engine.run('reply', input, {
    onEvent: (event) => {
      if (event.type === 'piece') text += event.piece;
    },
  });
  if (text === '' && result.tokens > 1) throw new Error('Puna said nothing.');
  return { ...result, wallSeconds: (performance.now() - begin) / 1000 };
}

async function measureBare(promptTokens: number): Promise<Figures> {
  // Which tokens does not matter for the time; these are ordinary words of the vocabulary.
  const tokens = Array.from({ length: promptTokens }, (_, index) => 1000 + ((index * 7919) % 20_000));
  const prefill = promptTokens / (await orderBare({ type: 'read', tokens }));
  const generation = generated / (await orderBare({ type: 'generate', tokens: generated }));
  // What sampling costs counts against Puna: the bare loop is always greedy.
  return { prefill, generation, sampled: generation };
}

async function orderBare(order: BareOrder): Promise<number> {
  const answer = once(bare, 'message') as Promise<[BareAnswer]>;
  const begin = performance.now();
  bare.send(order);
  await answer;
  return (performance.now() - begin) / 1000;
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
