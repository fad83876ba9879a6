import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import OpenAI from 'openai';
import { benchShapes, buildBenchModel } from '../tests/support/models.ts';
import { startShell } from '../tests/support/shell.ts';
import { median } from './median.ts';

/**
 * What parallel requests are worth: tokens a second of so many streams together against those of one alone, by OpenAI's client
 * over Puna's API. Both take turns in one run, so that a busy machine slows both; the median of the rounds' ratios counts.
 *
 *     npm run bench:serve -- [--size 128M|134M|376M | --model FILE] [--streams N] [--rounds N] [--tokens N]
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '376M' },
    model: { type: 'string' },
    streams: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '48' },
  },
});
const streams = Number(values.streams);
const tokens = Number(values.tokens);
const size = Object.keys(benchShapes).find((name) => name === values.size);
if (size === undefined) throw new Error(`--size is one of ${Object.keys(benchShapes).join(', ')}.`);

const folder = await mkdtemp(join(tmpdir(), 'puna-bench-'));
const path =
  values.model ?? (await buildBenchModel(join(folder, 'bench.gguf'), size as keyof typeof benchShapes));
const shell = await startShell({ dataFolder: join(folder, 'data'), api: true });
try {
  const { id, name } = await shell.client.models.add({ path });
  // Its memory is taken for every stream, whether it is used or not.
  const loadSettings = { contextSize: 512, gpuLayers: null, threads: null };
  await shell.client.models.configure({ modelId: id, loadSettings });
  const openai = new OpenAI({ baseURL: shell.api?.address, apiKey: shell.api?.key ?? '' });
  const measured = await measure(openai, name);
  const { engine } = await shell.client.system.state();
  const alone = median(measured.map((round) => round.alone));
  const together = median(measured.map((round) => round.together));
  const ratio = median(measured.map((round) => round.together / round.alone));
  console.log(`${name} on ${engine.device}, ${measured.length} rounds of ${tokens} tokens`);
  console.log(`1 stream: ${alone.toFixed(1)} tokens/s`);
  console.log(`${streams} streams: ${together.toFixed(1)} tokens/s together`);
  console.log(`ratio (median of the rounds'): ${ratio.toFixed(2)}`);
} finally {
  await shell.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(openai: OpenAI, model: string): Promise<{ alone: number; together: number }[]> {
  // Loads the model and warms it up.
  await speed(openai, model, streams);
  const measured: { alone: number; together: number }[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const alone = await speed(openai, model, 1);
    measured.push({ alone, together: await speed(openai, model, streams) });
  }
  return measured;
}

/** Tokens a second of so many streams together, with the time that it takes to read their prompts. */
async function speed(openai: OpenAI, model: string, count: number): Promise<number> {
  const begin = performance.now();
  const written = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const stream = openai.chat.completions.stream({
        ...{ model, messages: [{ role: 'user', content: `Hello ${index}` }] },
        ...{ max_tokens: tokens, seed: index, stream_options: { include_usage: true } },
      });
      return (await stream.finalChatCompletion()).usage?.completion_tokens ?? 0;
    }),
  );
  return written.reduce((sum, each) => sum + each, 0) / ((performance.now() - begin) / 1000);
}
