import { PunaError } from '../../shared/error.ts';
import { serveEngine } from '../engine/serve-engine.ts';
import { LoadedModel } from './loaded-model.ts';
import type { InferenceJobs } from './messages.ts';
import { reply } from './reply.ts';
import { title } from './title.ts';

/** The engine process that chats. It holds one model, and does one thing at a time with it. */
let loaded: LoadedModel | null = null;
let turn: Promise<unknown> = Promise.resolve();

/** Runs when all that came before has ended, well or not. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = turn.then(work, work);
  turn = result.catch(() => undefined);
  return result;
}

async function unload(): Promise<void> {
  const model = loaded;
  loaded = null;
  await model?.dispose();
}

function model(): LoadedModel {
  if (loaded) return loaded;
  throw new PunaError('no-model', 'No model is loaded.', 'Choose one on the Models page.');
}

serveEngine<InferenceJobs>(
  {
    load: (input, { signal, emit }) =>
      inTurn(async () => {
        await unload();
        loaded = await LoadedModel.load(input, { signal, onProgress: (progress) => emit({ progress }) });
        return loaded.description;
      }),
    unload: () => inTurn(async () => (await unload(), null)),
    reply: (input, job) => inTurn(() => reply(model(), input, job)),
    countTokens: async ({ text }) => ({ tokens: model().model.tokenize(text).length }),
    title: ({ turns }, { signal }) => inTurn(async () => ({ title: await title(model(), turns, signal) })),
  },
  unload,
);
