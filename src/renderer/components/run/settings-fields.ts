import {
  type DeviceChoice,
  deviceChoices,
  type ScheduleKind,
  schedules,
} from '../../../shared/contract/default-training.ts';
import type { TrainingSettings } from '../../../shared/contract/index.ts';

/** Settings that a person can change here; how much is held back, the dataset says. */
type Key = Exclude<keyof TrainingSettings, 'validation'>;

/** Those whose values are of a kind. */
type Named<Value> = { [Each in Key]: TrainingSettings[Each] extends Value ? Each : never }[Key];
type Nullable = { [Each in Key]: null extends TrainingSettings[Each] ? Each : never }[Key];

interface Limits {
  min: number;
  max: number;
  step: number | 'any';
  /** Shown in units of so many, such as bytes in gigabytes. */
  unit?: number;
}

export type Field =
  | ({ kind: 'number'; key: Named<number> } & Limits)
  /** Empty says null. */
  | ({ kind: 'optional'; key: Nullable } & Limits)
  | { kind: 'switch'; key: Named<boolean> }
  | { kind: 'choice'; key: 'trained'; choices: readonly TrainingSettings['trained'][] }
  | { kind: 'choice'; key: 'schedule'; choices: readonly ScheduleKind[] }
  | { kind: 'choice'; key: 'recompute'; choices: readonly TrainingSettings['recompute'][] }
  | { kind: 'choice'; key: 'device'; choices: readonly DeviceChoice[] }
  | { kind: 'targets'; key: 'targets' };

const whole = (key: Named<number>, min: number, max: number): Field => ({
  ...{ kind: 'number', key, min, max, step: 1 },
});
const real = (key: Named<number>, min: number, max: number): Field => ({
  ...{ kind: 'number', key, min, max, step: 'any' },
});
const optional = (key: Nullable, min: number, max: number): Field => ({
  ...{ kind: 'optional', key, min, max, step: 1 },
});

/** Far beyond every use; the contract has the same limits or none. */
const most = 1_000_000;
const gigabyte = 1e9;

/** Every setting of a run that a person can change, in the order in which they matter. */
export const fieldGroups = [
  {
    name: 'adapter',
    fields: [
      { kind: 'choice', key: 'trained', choices: ['adapters', 'all'] },
      whole('rank', 1, 1024),
      real('alpha', 0, most),
      { kind: 'switch', key: 'rankStabilized' },
      { kind: 'targets', key: 'targets' },
      real('dropout', 0, 0.9),
    ],
  },
  {
    name: 'course',
    fields: [
      real('epochs', 0, 1000),
      optional('steps', 1, most),
      whole('batch', 1, 65_536),
      whole('context', 32, 1_048_576),
      whole('seed', 0, 0xffff_ffff),
    ],
  },
  {
    name: 'pace',
    fields: [
      real('learningRate', 0, 10),
      { kind: 'choice', key: 'schedule', choices: schedules },
      whole('warmup', 0, most),
      real('weightDecay', 0, 1),
      { kind: 'optional', key: 'clip', min: 0, max: most, step: 'any' },
    ],
  },
  {
    name: 'measuring',
    fields: [
      whole('evaluateEvery', 1, most),
      optional('patience', 1, most),
      whole('checkpointEvery', 1, most),
      optional('sampleEvery', 1, most),
    ],
  },
  {
    name: 'machine',
    fields: [
      { kind: 'choice', key: 'device', choices: deviceChoices },
      optional('threads', 1, 512),
      { kind: 'optional', key: 'memoryLimit', min: 0.01, max: most, step: 'any', unit: gigabyte },
      { kind: 'choice', key: 'recompute', choices: ['auto', 'always', 'never'] },
      { kind: 'switch', key: 'exact' },
    ],
  },
] as const satisfies readonly { name: string; fields: readonly Field[] }[];
