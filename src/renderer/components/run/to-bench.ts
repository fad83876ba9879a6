import type { TrainingRun } from '../../../shared/contract/index.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { bench } from '../weights/workbench.svelte.ts';

/** Opens the page of weights with the model and what it has learnt, for one of the things that can be made of them. */
export async function toBench(
  { modelPath, adapterPath }: Pick<TrainingRun, 'modelPath' | 'adapterPath'>,
  kind: 'adapter-merge' | 'adapter-convert',
): Promise<void> {
  goTo({ page: 'weights' });
  for (const item of [...bench.items]) bench.remove(item);
  await bench.addPath(modelPath);
  await bench.addPath(adapterPath);
  bench.choose(kind);
}
