import type { TrainingRun, TrainingSettings } from '../../../shared/contract/index.ts';

type Key = keyof TrainingSettings;

/** Settings in one order, so that what is the same looks the same. */
function keysOf(settings: TrainingSettings): Key[] {
  return (Object.keys(settings) as Key[]).sort();
}

function isSame(one: TrainingSettings, other: TrainingSettings, key: Key): boolean {
  return JSON.stringify(one[key]) === JSON.stringify(other[key]);
}

export function sameSettings(one: TrainingSettings, other: TrainingSettings): boolean {
  return [...keysOf(one), ...keysOf(other)].every((key) => isSame(one, other, key));
}

/** The settings in which runs differ. */
export function differingSettings(runs: readonly Pick<TrainingRun, 'settings'>[]): Key[] {
  const [first, ...others] = runs;
  if (!first) return [];
  return keysOf(first.settings).filter((key) =>
    others.some(({ settings }) => !isSame(first.settings, settings, key)),
  );
}
