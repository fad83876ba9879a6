import type { Command } from 'commander';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { automaticLoadSettings, defaultSampling } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { anyBaseAdvice } from '../../shared/other-base.ts';
import { Engine, launchChildProcess } from '../engine/index.ts';
import type {
  AdapterFile,
  InferenceJobs,
  ReplyEvent,
  ReplyInput,
  ReplyResult,
  Turn,
} from '../inference/messages.ts';
import { adapter, integer, number } from './arguments.ts';
import { Output, runCommand } from './output.ts';
import { serverNamed, withServers } from './servers.ts';

interface ChatOptions {
  model: string;
  server?: string;
  adapter?: AdapterFile[];
  anyBase?: boolean;
  system?: string;
  prompt?: string;
  maxTokens?: number;
  temperature?: number;
  seed?: number;
  context?: number;
  threads?: number;
  data?: string;
  json?: boolean;
}

/** Writes a reply: the engine, or a server. */
type Speak = (
  input: ReplyInput,
  options: { signal: AbortSignal; onEvent: (event: ReplyEvent) => void },
) => Promise<ReplyResult>;

export function addChat(program: Command): void {
  program
    .command('chat')
    .description('talk to a model in the terminal; nothing is kept')
    .requiredOption('--model <file>', "GGUF model; with --server, the model's name there")
    .option('--server <name>', 'let a server of "puna servers list" answer')
    .option('--data <dir>', 'data folder with that server')
    .option('--adapter <file[:scale]>', 'LoRA adapter, may be given several times', adapter)
    .option('--any-base', 'allow adapters on models that they were not trained on')
    .option('--system <text>', 'system prompt')
    .option('--prompt <text>', 'one message; without it each line of standard input is one')
    .option('--max-tokens <n>', 'longest reply in tokens', integer({ min: 1, max: 1_000_000 }))
    .option('--temperature <x>', '0 takes the likeliest token every time', number({ min: 0, max: 5 }))
    .option('--seed <n>', 'same seed, same reply', integer({ min: 0, max: 0xffff_ffff }))
    .option('--context <n>', 'context size in tokens', integer({ min: 64, max: 10_000_000 }))
    .option('--threads <n>', 'CPU threads', integer({ min: 1, max: 512 }))
    .option('--json', 'print JSON lines')
    .action((options: ChatOptions) => runCommand((signal) => chat(options, signal)));
}

async function chat(options: ChatOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  if (options.server !== undefined) return chatThrough(options.server, options, output, signal);
  const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });
  try {
    await load(engine, options, output, signal);
    await converse((input, following) => engine.run('reply', input, following), options, output, signal);
  } catch (thrown) {
    throw namingOption(thrown);
  } finally {
    await engine.stop();
  }
}

async function chatThrough(
  name: string,
  options: ChatOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  refuseLocal(options);
  await withServers(options.data, (servers) => {
    const { id: serverId, address } = serverNamed(servers, name);
    output.note(`${options.model} of ${name} at ${address}: what you write goes there.\n`);
    const speak: Speak = (input, following) =>
      servers.replyOf({ serverId, name: options.model }, input, following);
    return converse(speak, options, output, signal);
  });
}

/** Errors: `invalid-input` for what only the engine knows. */
function refuseLocal({ adapter, context, threads }: ChatOptions): void {
  const given = [adapter && '--adapter', context && '--context', threads && '--threads'].find((word) => word);
  if (!given) return;
  throw new PunaError(
    'invalid-input',
    `${given} is for models of this machine, and a server is to answer.`,
    'Leave it out.',
  );
}

/** Answers one message after the other, each with all that was said before. */
async function converse(
  speak: Speak,
  options: ChatOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const turns: Turn[] = [];
  for await (const text of prompts(options, output, signal)) {
    if (signal.aborted) break;
    turns.push({ role: 'user', text });
    turns.push({ role: 'assistant', text: await reply(speak, replyInput(options, turns), output, signal) });
  }
}

/** The advice to allow an adapter, with the option that does so. */
function namingOption(thrown: unknown): unknown {
  if (!(thrown instanceof PunaError) || !thrown.remedy.includes(anyBaseAdvice)) return thrown;
  const remedy = thrown.remedy.replace(anyBaseAdvice, `${anyBaseAdvice} (--any-base)`);
  return new PunaError(thrown.code, thrown.message, remedy, { cause: thrown });
}

async function load(
  engine: Engine<InferenceJobs>,
  { model, context, threads }: ChatOptions,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const settings = { ...automaticLoadSettings, contextSize: context ?? null, threads: threads ?? null };
  const onEvent = ({ progress }: { progress: number }) => {
    output.note(`\rLoading ${Math.round(progress * 100)}%`);
    output.event({ type: 'loading', progress });
  };
  const loaded = await engine.run('load', { path: resolve(model), settings }, { signal, onEvent });
  output.note(`\r${loaded.device}, context of ${loaded.contextSize} tokens\n`);
  output.event({ type: 'loaded', ...loaded });
}

/** The one message of `--prompt`, or the lines of standard input until it ends. */
async function* prompts(
  { prompt }: ChatOptions,
  output: Output,
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (prompt !== undefined) return yield prompt;
  const lines = createInterface({ input: process.stdin, signal });
  output.note('> ');
  for await (const line of lines) {
    if (line.trim() !== '') yield line;
    output.note('> ');
  }
}

function replyInput(
  { system, adapter, anyBase = false, temperature, seed, maxTokens }: ChatOptions,
  turns: Turn[],
): ReplyInput {
  return {
    systemPrompt: system ?? '',
    turns: [...turns],
    continued: null,
    adapters: (adapter ?? []).map(({ path, scale }) => ({ path: resolve(path), scale, anyBase })),
    sampling: {
      ...defaultSampling,
      temperature: temperature ?? defaultSampling.temperature,
      seed: seed ?? null,
      maxTokens: maxTokens ?? null,
    },
  };
}

async function reply(speak: Speak, input: ReplyInput, output: Output, signal: AbortSignal): Promise<string> {
  const parts = { text: '', thinking: '' };
  const result = await speak(input, {
    signal,
    onEvent: (event) => {
      output.event(event);
      if (event.type !== 'piece') return;
      parts[event.part] += event.piece;
      if (event.part === 'text') output.text(event.piece);
      else output.note(event.piece);
    },
  });
  output.text('\n');
  output.note(`${result.tokens} tokens, ${result.tokensPerSecond.toFixed(1)} tokens/s\n`);
  output.event({ type: 'result', ...parts, ...result });
  return parts.text;
}
