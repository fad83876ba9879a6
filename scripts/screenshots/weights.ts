import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Shell } from '../../tests/support/shell.ts';
import { buildTinyFolder } from '../../tests/support/tiny-folder.ts';
import { drop } from './drop.ts';
import type { Scene } from './stage.ts';

/** A delta that was applied, with its proof and its picture, and what a person drops next. */
export const weights: Scene = {
  names: { en: ['weights-light', 'weights-dark'], ko: ['weights-korean'] },
  async take({ language, shell, page, folder, picture, show }) {
    const { base, delta } = await applyDelta(shell, folder);
    await show('/weights');
    await drop(page, base, delta);
    await page.getByRole('article').first().waitFor();
    if (language === 'ko') return picture(page, 'weights-korean');
    await picture(page, 'weights-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'weights-dark');
  },
};

async function applyDelta(shell: Shell, folder: string): Promise<{ base: string; delta: string }> {
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
