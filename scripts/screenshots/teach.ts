import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Shell } from '../../tests/support/shell.ts';
import { questions, teachingBase } from '../../tests/support/teaching.ts';
import { jsonLines } from '../../tests/support/teaching-world.ts';
import { drop } from './drop.ts';
import { desk, guide, type Scene } from './stage.ts';

/** A model that was really taught, and what a run shows of that: all of it, which is more than a window holds, and its curve. */
export const teach: Scene = {
  names: { en: ['teach-light', 'teach-dark', 'guide-en-curve'], ko: ['teach-korean', 'guide-ko-curve'] },
  async take({ language, words, shell, page, folder, picture, show }) {
    const runId = await learn(shell, folder, words.facts);
    await show(`/teach/run/${runId}`);
    await page.setViewportSize({ ...desk, height: 1880 });
    await page.getByRole('slider').first().waitFor();
    if (language === 'ko') {
      await picture(page, 'teach-korean');
    } else {
      await picture(page, 'teach-light');
      await page.emulateMedia({ colorScheme: 'dark' });
      await picture(page, 'teach-dark');
      await page.emulateMedia({ colorScheme: 'light' });
    }
    await page.setViewportSize({ ...guide, height: 1880 });
    const part = page.locator('section.card', { has: page.locator('canvas') });
    await picture(page, `guide-${language}-curve`, { part });
  },
};

/** An export of a chat was dropped, and Puna asks who the person is. */
export const data: Scene = {
  names: { en: ['guide-en-data'], ko: ['guide-ko-data'] },
  async take({ language, words: { guide: words }, page, folder, picture, show }) {
    const path = join(folder, words.chat.name);
    await writeFile(path, words.chat.lines.join('\n'));
    await page.setViewportSize(guide);
    await show('/teach');
    await page
      .getByText(/KakaoTalk|카카오톡/)
      .first()
      .waitFor();
    await drop(page, path);
    await page
      .getByText(/Which of these is you|누가 나예요/)
      .first()
      .waitFor();
    await picture(page, `guide-${language}-data`);
  },
};

/** A dataset of twenty facts that a tiny model is taught, and the run that has taught it. */
async function learn({ client }: Shell, folder: string, name: string): Promise<number> {
  const { id: modelId } = await client.models.add({ path: teachingBase });
  await client.models.rename({ modelId, name: 'Puna Tiny' });
  const path = join(folder, 'facts.jsonl');
  await writeFile(path, jsonLines(questions.taught));
  const sources = [{ from: 'file' as const, path }];
  const { id: datasetId } = await client.datasets.import({ kind: 'import', name, sources, clean: null });
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
