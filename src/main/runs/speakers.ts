import { defaultSampling, type Model, type Sampling, type TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { BackgroundRequest } from '../chat/index.ts';
import type { AdapterFile } from '../inference/messages.ts';
import type { Library } from '../library/index.ts';

/** A model with what was taught, or without. */
export interface Speaker {
  model: Model;
  adapters: AdapterFile[];
}

type Taught = Pick<TrainingRun, 'modelPath' | 'modelName' | 'settings'>;

/** The model of a run as it was. Errors: `not-found` (it has left the library). */
export async function baseOf(
  { modelPath, modelName }: Taught,
  library: Pick<Library, 'list'>,
): Promise<Speaker> {
  return { model: await modelAt(modelPath, modelName, library), adapters: [] };
}

/** The same with what the run has written at `path`. Errors: `not-found`. */
export async function taughtBy(run: Taught, path: string, library: Pick<Library, 'list'>): Promise<Speaker> {
  if (run.settings.trained === 'all') {
    return { model: await modelAt(path, run.modelName, library), adapters: [] };
  }
  return { ...(await baseOf(run, library)), adapters: [{ path, scale: 1 }] };
}

/** What a speaker is asked. The likeliest words, so that what differs is what was taught. */
export function question(
  { model, adapters }: Speaker,
  { prompt, system = '' }: { prompt: string; system?: string },
  maxTokens: number,
): BackgroundRequest {
  const sampling: Sampling = { ...defaultSampling, temperature: 0, seed: 1, maxTokens };
  return { model, adapters, systemPrompt: system, turns: [{ role: 'user', text: prompt }], sampling };
}

async function modelAt(path: string, name: string, library: Pick<Library, 'list'>): Promise<Model> {
  const model = (await library.list()).find((each) => each.path === path);
  if (model) return model;
  throw new PunaError('not-found', `${name} is no longer in the library.`, `Add ${path} on the Models page.`);
}
