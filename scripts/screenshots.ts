import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../tests/browser/browser.ts';
import { buildScriptedModel } from '../tests/support/models.ts';
import { buildTinyFolder } from '../tests/support/tiny-folder.ts';
import { questions, teachingBase } from '../tests/support/teaching.ts';
import { jsonLines } from '../tests/support/teaching-world.ts';
import { takeTourPictures } from './tour-pictures.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../tests/support/shell.ts';

/**
 * Takes the pictures of docs/screenshots from the built app, so that they show what there is. What answers is a tiny model
 * that knows one reply by heart, so its speed says nothing:
 *
 *     npm run screenshots
 */
const target = 'docs/screenshots';

const english = {
  language: 'en',
  question: 'How does a vicuña keep warm at night? And could you show me the wind chill in numbers?',
  reply: `A vicuña's wool is among the finest there is: each hair is about **12 µm** thick. Three things keep it warm on the puna:

1. The coat is dense, and still air between the hairs insulates.
2. It lies down on its legs, so that the thin wool of the belly is covered.
3. The herd sleeps on a ridge, where cold air flows off.

Wind chill can be written as a function:

\`\`\`ts
/** Felt temperature in °C, at more than 5 km/h of wind. */
const windChill = (celsius: number, kmh: number) =>
  13.12 + 0.6215 * celsius + (0.3965 * celsius - 11.37) * kmh ** 0.16;
\`\`\`

| Air | Wind | Felt |
| ---: | ---: | ---: |
| 0 °C | 20 km/h | −5 °C |
| −10 °C | 30 km/h | −20 °C |

So a clear night at $-10\\,^{\\circ}\\mathrm{C}$ can feel twice as cold as it is.`,
  facts: 'Twenty facts about people I made up',
  titles: [
    'Names for a mountain hut',
    'Letter to the landlord',
    'Sourdough in winter',
    'Explain LoRA to my aunt',
  ],
};

const korean = {
  language: 'ko',
  question: '기계학습을 처음 배우는데, 미세조정이 무엇인지 쉽게 설명해 주세요.',
  reply: `**미세조정**은 이미 많은 글을 읽은 모델에게 내 글을 조금 더 읽히는 일이에요.

- 처음부터 가르치지 않아서 *빠르고*, 필요한 글도 적어요.
- 원래 가중치는 그대로 두고 작은 어댑터만 배우면 메모리도 적게 들어요.

바뀌는 것은 $W' = W + \\frac{\\alpha}{r} BA$ 한 줄로 쓸 수 있어요. 여기서 $B$와 $A$가 새로 배우는 작은 행렬이에요.`,
  facts: '내가 지어낸 사람들 이야기 스무 가지',
  titles: ['제주도 3박 4일', '회의록 다듬기', '고양이 이름 짓기', '양자화가 뭐예요?'],
};

async function fill(
  shell: Shell,
  folder: string,
  { language, question, reply, titles }: typeof english,
): Promise<number> {
  const { client } = shell;
  await client.settings.update({ language: language as 'en' | 'ko', automaticTitles: false });
  const path = await buildScriptedModel(join(folder, `example-${language}.gguf`), { reply });
  const { id: modelId } = await client.models.add({ path });
  await client.models.rename({ modelId, name: 'Example' });
  for (const title of titles) await client.conversations.create({ title, modelId });
  const { id: conversationId } = await client.conversations.create({ modelId });
  await client.chat.send({ conversationId, parentId: null, text: question, attachments: [] });
  await replyFinished(shell);
  return conversationId;
}

/** Lets go of files and folders over the page. */
async function drop(page: Page, ...paths: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data });
  }
}

async function picture(page: Page, name: string): Promise<void> {
  // Code gets its colours, and fonts arrive, a moment after the text.
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(target, `${name}.png`) });
}

/** A delta that was applied, with its proof and its picture, and what a person drops next. */
async function fillWeights(shell: Shell, folder: string): Promise<{ base: string; delta: string }> {
  const { weights } = shell.client;
  const shape = { layers: 12 };
  const base = await buildTinyFolder(join(folder, 'llama-7b'), shape);
  const tuned = await buildTinyFolder(join(folder, 'vicuna-7b'), { ...shape, change: 0.1 });
  const done = async (id: number) => {
    for (;;) {
      const job = (await weights.list()).find((each) => each.id === id);
      if (job?.state === 'done' && !job.speaking) return job.result?.out ?? '';
      if (job?.state === 'failed') throw new Error(job.error?.message);
      await wait(100);
    }
  };
  const made = await weights.start({
    kind: 'delta-make',
    base,
    target: tuned,
    out: 'vicuna-7b-delta',
    compress: false,
  });
  const delta = await done(made.id);
  const out = 'vicuna-7b.gguf';
  const applied = await weights.start({ kind: 'delta-apply', base, delta, out, type: 'F16', anyBase: false });
  await done(applied.id);
  await weights.discard({ jobId: made.id });
  return { base, delta };
}

/** Puna itself as a server, as another one of it would see it. */
async function fillServers({ client, api }: Shell): Promise<void> {
  if (!api) return;
  await client.servers.add({ name: 'Workshop', address: api.address, key: api.key });
}

/** A dataset of twenty facts that a tiny model is taught, and the run that has taught it. */
async function fillTeach(shell: Shell, folder: string, name: string): Promise<number> {
  const { client } = shell;
  const { id: modelId } = await client.models.add({ path: teachingBase });
  await client.models.rename({ modelId, name: 'Puna Tiny' });
  const path = join(folder, 'facts.jsonl');
  await writeFile(path, jsonLines(questions.taught));
  const sources = [{ from: 'file' as const, path }];
  const { id: datasetId } = await client.datasets.import({
    ...{ kind: 'import', name, sources, clean: null },
  });
  const until = async (isSo: () => Promise<boolean | undefined>) => {
    while (!(await isSo())) await wait(100);
  };
  await until(
    async () => (await client.datasets.list()).find(({ id }) => id === datasetId)?.state === 'ready',
  );
  const prompts = questions.heldOut.filter((_, index) => index % 32 === 0).map(({ question }) => question);
  const { settings } = await client.training.suggest({ modelId, datasetIds: [datasetId] });
  const { id } = await client.training.start({ modelId, datasetIds: [datasetId], prompts, settings });
  await until(async () => {
    const run = (await client.training.list()).find((each) => each.id === id);
    if (run?.state === 'failed') throw new Error(run.error?.message);
    const last = run?.step?.step;
    return run?.state === 'done' && run.samples.every(({ replies }) => (replies.at(-1)?.step ?? 0) === last);
  });
  return id;
}

await mkdir(target, { recursive: true });
const browser = await launchBrowser();
for (const content of [english, korean]) {
  const { folder, remove } = await temporaryFolder();
  const shell = await startShell({ dataFolder: join(folder, 'data'), built: true, api: true });
  const conversationId = await fill(shell, folder, content);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: content.language,
  });
  const page = await context.newPage();
  await page.goto(shell.link);
  await page.goto(`http://127.0.0.1:${shell.port}/#/chat/${conversationId}`);
  await page.getByRole('article').last().waitFor();
  if (content.language === 'ko') {
    await picture(page, 'chat-korean');
  } else {
    await picture(page, 'chat-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'chat-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.reload();
    await page.getByRole('article').last().waitFor();
    await picture(page, 'chat-narrow');
    await page.setViewportSize({ width: 1280, height: 860 });
  }
  const { base, delta } = await fillWeights(shell, folder);
  await page.goto(`http://127.0.0.1:${shell.port}/#/weights`);
  await drop(page, base, delta);
  await page.getByRole('article').first().waitFor();
  if (content.language === 'ko') {
    await picture(page, 'weights-korean');
  } else {
    await picture(page, 'weights-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'weights-dark');
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`http://127.0.0.1:${shell.port}/#/models/discover`);
  await page
    .getByRole('button', { name: /^Get |받기/ })
    .first()
    .waitFor();
  await picture(page, content.language === 'ko' ? 'models-korean' : 'models-light');
  const runId = await fillTeach(shell, folder, content.facts);
  await page.goto(`http://127.0.0.1:${shell.port}/#/teach/run/${runId}`);
  // All that a run shows, which is more than a window does.
  await page.setViewportSize({ width: 1280, height: 1880 });
  await page.getByRole('slider').first().waitFor();
  if (content.language === 'ko') {
    await picture(page, 'teach-korean');
  } else {
    await picture(page, 'teach-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'teach-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 860 });
    await fillServers(shell);
    await page.goto(`http://127.0.0.1:${shell.port}/#/`);
    await page.getByRole('button', { name: /^Model: / }).click();
    await page
      .getByRole('group', { name: /^Workshop/ })
      .getByRole('button', { name: 'Example', exact: true })
      .click();
    await page.getByRole('button', { name: /^Model: / }).click();
    await picture(page, 'servers-light');
  }
  await context.close();
  await shell.stop();
  await remove();
}
for (const language of ['en', 'ko'] as const) {
  await takeTourPictures({ browser, resources: resolve('resources'), language, picture });
}
await browser.close();
