import { freemem } from 'node:os';
import { automaticLoadSettings, defaultSampling, type Model } from '../../shared/contract/index.ts';
import { Engine, type LaunchEngine } from '../engine/index.ts';
import type { InferenceJobs } from '../inference/messages.ts';

/** A sentence or two; one that thinks first gets to its point. */
const longest = 160;
/** In tokens, with the question and a chat template. */
const contextSize = 512;
/** What a small context and the process take beside the weights, in bytes. */
const besideWeights = 600e6;
/** A large model on a slow disk takes minutes to load; nobody waits for a greeting that long. */
const patience = 5 * 60_000;
/** What is left if something else begins to need memory meanwhile. */
const margin = 1.1;

/** Whether a model can be asked for its first words beside all else that is in memory. */
export function canSpeak({ kind, bytes }: Model): boolean {
  return kind === 'model' && bytes * margin + besideWeights <= freemem();
}

/**
 * The first words of a model that was just made, from an engine of its own, which gives back all memory afterwards. The likeliest
 * ones, so that they are the same each time. Null where it said nothing. Errors: those of the inference engine, `cancelled`.
 */
export async function firstWords(
  { path }: Pick<Model, 'path'>,
  { launchEngine, signal }: { launchEngine: LaunchEngine; signal: AbortSignal },
): Promise<string | null> {
  const engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchEngine });
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const said = { text: '', thinking: '' };
  try {
    const settings = { ...automaticLoadSettings, contextSize };
    await engine.run('load', { path, settings }, { signal: inTime });
    await engine.run(
      'reply',
      {
        systemPrompt: '',
        turns: [{ role: 'user', text: 'Hello! Please introduce yourself in one sentence.' }],
        continued: null,
        adapters: [],
        sampling: { ...defaultSampling, temperature: 0, seed: 0, maxTokens: longest },
      },
      {
        signal: inTime,
        onEvent: (event) => {
          if (event.type === 'piece') said[event.part] += event.piece;
        },
      },
    );
  } finally {
    await engine.stop();
  }
  return said.text.trim() || said.thinking.trim() || null;
}
