import { Told } from '../../lib/failure.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { bench } from '../weights/workbench.svelte.ts';
import { resultName } from './made.svelte.ts';
import type { TourSamples } from './samples.svelte.ts';

/** Whether base and delta lie on the bench, known for what they are. */
export function areLaidOut({ delta: { base, path } }: TourSamples): boolean {
  const there = bench.parts.map((part) => part.path);
  return bench.kind === 'delta-apply' && [base, path].every((each) => there.includes(each));
}

/** Lays base and delta on the bench, instead of what else is there. */
export async function layOut(all: TourSamples): Promise<void> {
  if (!areLaidOut(all)) {
    for (const item of [...bench.items]) bench.remove(item);
    await bench.addPath(all.delta.base);
    await bench.addPath(all.delta.path);
    const refused = bench.items.find(({ failure }) => failure !== null)?.failure;
    if (refused) throw new Told(refused);
    bench.choose('delta-apply');
  }
  bench.set({ name: resultName });
}

/** Adds what lies on the bench. */
export async function add(all: TourSamples): Promise<void> {
  await layOut(all);
  await bench.start();
  const refused = bench.planFailure;
  if (refused) throw new Told(refused);
}

/** Goes on with what was stopped or has failed. Errors: those of `weights.resume`. */
export async function addOn(jobId: number): Promise<void> {
  app.weights.put(await app.client.weights.resume({ jobId }));
}
