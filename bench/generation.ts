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
import { benchShape, buildBenchModel } from '../tests/support/models.ts';

/**
 * How fast Puna chats, as its main process sees it (engine process, messages between, template, sampling, text), against a
 * bare loop around llama_decode over the same libraries, model, context and threads. Both take turns in one run, so that a
 * busy machine slows both; the ratio of a round is that of neighbours, and the median of the rounds counts.
 *
 *     node bench/generation.ts [--rounds N] [--threads N] [--prompt WORDS] [--tokens N] [--model FILE]
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
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string' },
    prompt: { type: 'string', default: '1200' },
    tokens: { type: 'string', default: '96' },
    model: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const generated = Number(values.tokens);

/** How many tokens the round's prompt has; both sides read as many. */
const promptLengths = new Map<number, number>();

const folder = await mkdtemp(join(tmpdir(), 'puna-bench-'));
const path = values.model ?? (await buildBenchModel(join(folder, 'bench.gguf')));
const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });
const bare = fork(new URL('generation-bare.ts', import.meta.url), {
  stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
});
try {
  const settings = {
    contextSize: benchShape.contextLength,
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
  // The first round warms both up and is not counted.
  const measured = [];
  for (let round = -1; round < rounds; round++) {
    const sides = [() => measurePuna(round), () => measureBare(round)] as const;
    // Neither side is always the one that comes first.
    const [first, second] = round % 2 === 0 ? [0, 1] : ([1, 0] as const);
    const figures: Partial<Record<0 | 1, Figures>> = {};
    figures[first as 0 | 1] = await sides[first as 0 | 1]();
    figures[second as 0 | 1] = await sides[second as 0 | 1]();
    const [puna, plain] = [figures[0], figures[1]];
    if (round >= 0 && puna && plain) measured.push({ puna, bare: plain });
  }
  const row = (name: 'prefill' | 'generation' | 'sampled') => {
    const speed = {
      puna: median(measured.map((each) => each.puna[name])),
      bare: median(measured.map((each) => each.bare[name])),
    };
    const ratio = median(measured.map((each) => each.puna[name] / each.bare[name]));
    return { puna: round1(speed.puna), bare: round1(speed.bare), ratio: Number(ratio.toFixed(3)) };
  };
  const results = { prefill: row('prefill'), generation: row('generation'), sampled: row('sampled') };
  console.log(`${loaded.device}; context ${loaded.contextSize}; medians of ${rounds} rounds, tokens/s`);
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

async function measurePuna(round: number): Promise<Figures> {
  const greedy = { ...defaultSampling, temperature: 0, repeatPenalty: 1 };
  const prefill = await reply(round, { ...greedy, maxTokens: 1 });
  promptLengths.set(round, prefill.promptTokens);
  const generation = await reply(round, { ...greedy, maxTokens: generated });
  const sampled = await reply(round, { ...defaultSampling, maxTokens: generated });
  return {
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

async function measureBare(round: number): Promise<Figures> {
  const length = promptLengths.get(round) ?? promptLengths.get(round - 1) ?? Number(values.prompt);
  // Which tokens does not matter for the time; these are ordinary words of the vocabulary.
  const tokens = Array.from({ length }, (_, index) => 1000 + ((index * 7919) % 20_000));
  const prefill = await orderBare({ type: 'read', tokens });
  const generation = await orderBare({ type: 'generate', tokens: generated });
  // What sampling costs counts against Puna: the bare loop is always greedy.
  return { prefill: length / prefill, generation: generated / generation, sampled: generated / generation };
}

async function orderBare(order: BareOrder): Promise<number> {
  const answer = once(bare, 'message') as Promise<[BareAnswer]>;
  const begin = performance.now();
  bare.send(order);
  await answer;
  return (performance.now() - begin) / 1000;
}

function round1(number: number): number {
  return Number(number.toFixed(1));
}
