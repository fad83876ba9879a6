import { PunaError } from '../../shared/error.ts';
import { serveEngine } from '../engine/serve-engine.ts';
import { complete } from './complete.ts';
import { embed } from './embed.ts';
import { LoadedModel } from './loaded-model.ts';
import type { InferenceJobs } from './messages.ts';
import { reply } from './reply.ts';
import { cancelledError, SideWork } from './side-work.ts';
import { title } from './title.ts';

/**
 * The engine process that chats. It holds one model, and answers one conversation at a time with it; what other programs want
 * is written side by side meanwhile, and holds while a conversation is answered.
 */
let loaded: LoadedModel | null = null;
const side = new SideWork();
let loadedPath: string | null = null;
let turn: Promise<unknown> = Promise.resolve();

/** Runs when all that came before has ended, well or not. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = turn.then(work, work);
  turn = result.catch(() => undefined);
  return result;
}

/** The same for what conversations need at once. */
function first<Result>(work: () => Promise<Result>): Promise<Result> {
  return inTurn(() => side.during(work));
}

async function unload(): Promise<void> {
  await side.interrupt();
  const model = loaded;
  loaded = null;
  await model?.dispose();
}

/** `path`: that very model is meant. */
function model(path?: string): LoadedModel {
  if (loaded && (path === undefined || path === loadedPath)) return loaded;
  throw new PunaError('no-model', 'No model is loaded.', 'Choose one on the Models page.');
}

serveEngine<InferenceJobs>(
  {
    load: (input, { signal, emit }) =>
      inTurn(async () => {
        await unload();
        const model = await LoadedModel.load(input, {
          signal,
          onProgress: (progress) => emit({ progress }),
        });
        model.pools.onShort = async () => {
          await side.interrupt();
          await model.shared.free();
        };
        loaded = model;
        loadedPath = input.path;
        return model.description;
      }),
    unload: () => inTurn(async () => (await unload(), null)),
    reply: (input, job) => first(() => reply(model(), input, job)),
    complete: (input, { signal, emit }) =>
      side.run(signal, async (either) => {
        const clearance = () => side.clearance(either);
        const result = await complete(model(input.path), input, {
          ...{ signal: either, clearance, exclusively: inTurn, emit },
        });
        if (result.finish === 'stopped' && side.hasMadeRoom(either)) throw cancelledError();
        return result;
      }),
    embed: ({ path, texts }, { signal }) =>
      side.run(signal, (either) =>
        embed(model(path), texts, { signal: either, clearance: () => side.clearance(either) }),
      ),
    countTokens: async ({ text }) => ({ tokens: model().model.tokenize(text).length }),
    title: ({ turns }, { signal }) => first(async () => ({ title: await title(model(), turns, signal) })),
  },
  unload,
);
