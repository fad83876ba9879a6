import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { databaseFile, History, openDatabase } from '../../src/main/history/index.ts';
import { defaultSampling } from '../../src/shared/contract/default-sampling.ts';
import { chatIn } from './conversations.ts';
import { type StandInHub, startHub } from './hub.ts';
import { buildScriptedModel, buildTinyModel } from './models.ts';
import { replyFinished, type Shell, startShell } from './shell.ts';
import { buildTinyAdapter } from './tiny-adapter.ts';
import { buildTinyFolder } from './tiny-folder.ts';

/** A reply with everything that has a look of its own. */
const richReply = `# Grass

It is **golden**, see [the map](https://example.org) and \`code\`:

\`\`\`ts
const grass = 'golden';
\`\`\`

| month | colour |
| --- | --- |
| May | green |

- [x] seen

So $a^2 + b^2 = c^2$ holds.`;

/** Puna with something of everything, so that no page of it is empty. */
export interface Furnished {
  shell: Shell;
  hub: StandInHub;
  /** Conversations by what is in them. */
  conversations: Record<'talk' | 'long' | 'failed', number>;
  datasetId: number;
  runId: number;
  close(): Promise<void>;
}

/** Starts the built Puna in a folder, and fills it: takes some seconds. */
export async function startFurnished(folder: string): Promise<Furnished> {
  const at = (name: string) => join(folder, name);
  const dataFolder = at('data');
  const long = writeHistory(dataFolder);
  const golden = await buildScriptedModel(at('golden.gguf'), { reply: richReply, name: 'Golden' });
  const hub = await startHub([
    {
      ...{ id: 'acme/golden-GGUF', downloads: 1_234_567, cardData: { license: 'apache-2.0' } },
      files: {
        'README.md': Buffer.from('# Golden\n\nIt was trained on grass.'),
        'golden-Q4_K_M.gguf': await readFile(golden),
        'golden-Q8_0.gguf': await readFile(golden),
      },
    },
    { id: 'acme/guarded-GGUF', gated: 'auto', files: { 'guarded-Q4_K_M.gguf': await readFile(golden) } },
  ]);
  const shell = await startShell({ dataFolder, built: true, api: true });
  const { client } = shell;
  await client.settings.update({ automaticTitles: false });
  await client.hub.configure({ endpoint: hub.url });

  const { id: modelId } = await client.models.add({ path: golden });
  const { id: tinyId } = await client.models.add({ path: await buildTinyModel(at('tiny.gguf')) });
  await client.models.add({ path: await buildTinyAdapter(at('accent.gguf')) });
  await client.library.tag({ modelId: tinyId, tags: ['small'] });
  const broken = await buildTinyModel(at('broken.gguf'), { name: 'Broken', seed: 3 });
  const { id: brokenId } = await client.models.add({ path: broken });
  await client.models.add({ path: await buildTinyModel(at('gone.gguf'), { name: 'Gone', seed: 4 }) });
  await truncate(broken, 200_000);
  await rename(at('gone.gguf'), at('elsewhere.bin'));
  await buildTinyFolder(at('shelf/llama-7b'), { layers: 4 });
  await client.library.addFolder({ path: at('shelf') });

  const say = async (title: string, text: string, model: number) => {
    const { id } = await client.conversations.create({ title, modelId: model });
    await client.chat.send({ conversationId: id, parentId: null, text, attachments: [] });
    await replyFinished(shell);
    return id;
  };
  const failed = await say('A model that is broken', 'Are you there?', brokenId);
  const talk = await say('Grass and its colours', 'What colour?', modelId);
  await client.conversations.update({ conversationId: talk, patch: { pinned: true } });
  await client.presets.create({ name: 'Short', systemPrompt: 'Answer briefly.', sampling: defaultSampling });

  const datasetId = await importSums(shell, at('sums.jsonl'));
  const runId = await teach(shell, tinyId, datasetId);
  await useWeights(shell, folder);
  if (shell.api) {
    await client.servers.add({ name: 'Workshop', address: shell.api.address, key: shell.api.key });
  }
  return {
    ...{ shell, hub, datasetId, runId },
    conversations: { talk, long, failed },
    async close() {
      await shell.stop();
      await hub.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Conversations of all ages and states, one of them long. Gives its number. */
function writeHistory(dataFolder: string): number {
  const database = openDatabase(databaseFile(dataFolder));
  const history = new History(database);
  const chat = chatIn(history);
  const folder = history.folders.create({ name: 'Travel' });
  chat.begin('A hut in the mountains', { folderId: folder.id }).say('Where?', 'Up there.');
  chat.begin('An old one', { archived: true }).say('When?', 'Long ago.');
  chat.begin('Broken off').say('Tell me a story', 'Once upon a', { status: 'interrupted' });
  const long = chat.begin('Sixty questions');
  for (let count = 1; count <= 60; count++) long.say(`Question ${count}?`, `Answer ${count}.`);
  database.close();
  return long.id;
}

async function importSums(shell: Shell, path: string): Promise<number> {
  const examples = Array.from({ length: 60 }, (_, index) => ({
    messages: [
      { role: 'user', content: `What is ${index} plus ${index % 7}?` },
      { role: 'assistant', content: `It is ${index + (index % 7)}, my dear friend.` },
    ],
  }));
  await writeFile(path, examples.map((example) => `${JSON.stringify(example)}\n`).join(''));
  const { datasets } = shell.client;
  const sources = [{ from: 'file' as const, path }];
  const { id } = await datasets.import({
    ...{ kind: 'import', name: 'Sums', sources, clean: null, validation: 0.1 },
  });
  await until(async () => (await datasets.list()).some((each) => each.id === id && each.state === 'ready'));
  return id;
}

async function teach({ client }: Shell, modelId: number, datasetId: number): Promise<number> {
  const settings = { rank: 4, alpha: 8, epochs: 1, context: 64, evaluateEvery: 20 };
  const prompts = ['What is 2 plus 3?'];
  const { id } = await client.training.start({ modelId, datasetIds: [datasetId], prompts, settings });
  await until(async () =>
    (await client.training.list()).some((run) => run.id === id && run.state === 'done'),
  );
  return id;
}

/** A delta that was made, and one that does not belong to the base that it was to be applied to. */
async function useWeights({ client }: Shell, folder: string): Promise<void> {
  const { weights } = client;
  const base = await buildTinyFolder(join(folder, 'llama-7b'), { layers: 4 });
  const target = await buildTinyFolder(join(folder, 'vicuna-7b'), { layers: 4, change: 0.1 });
  const ended = async (id: number) => {
    let out = '';
    await until(async () => {
      const job = (await weights.list()).find((each) => each.id === id);
      out = job?.result?.out ?? '';
      return job?.state === 'failed' || (job?.state === 'done' && !job.speaking);
    });
    return out;
  };
  const made = await weights.start({ kind: 'delta-make', base, target, out: 'a delta', compress: false });
  const delta = await ended(made.id);
  const wrong = { kind: 'delta-apply', base: target, delta, out: 'wrong.gguf', type: 'F16' } as const;
  await ended((await weights.start({ ...wrong, anyBase: false })).id);
  await ended((await weights.start({ ...wrong, base, out: 'right.gguf', anyBase: false })).id);
}

async function until(isSo: () => Promise<boolean | undefined>): Promise<void> {
  while (!(await isSo())) await wait(100);
}
