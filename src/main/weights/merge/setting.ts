import { z } from 'zod';

/**
 * A parameter as mergekit writes it: one value, a gradient over the layers, or a list of conditions, of which the first whose
 * filter is a part of the tensor's name decides.
 */
export type Setting<Scalar> = Scalar | Scalar[] | Condition<Scalar> | Condition<Scalar>[];

export interface Condition<Scalar> {
  /** Part of a tensor's name; absent or `*` for every tensor. */
  readonly filter?: string | undefined;
  readonly value: Scalar | Scalar[];
}

/** Reads a parameter whose single values are as the schema says, which `what` names in the error. */
export function settingOf<Scalar extends number | boolean>(scalar: z.ZodType<Scalar>, what: string) {
  const scalarOrGradient = z.union([scalar, z.array(scalar).min(1)]);
  const condition = z.strictObject({ filter: z.string().optional(), value: scalarOrGradient });
  return z.union([scalarOrGradient, condition, z.array(condition).min(1)], {
    error: `is neither ${what}, nor a list of them over the layers, nor a list of { filter, value }`,
  });
}

/** Every single value that a setting names. */
export function valuesOf<Scalar extends number | boolean>(setting: Setting<Scalar>): Scalar[] {
  return listOf(setting).flatMap((part) => (isCondition(part) ? listOf(part.value) : [part]));
}

/**
 * The value of a setting for a tensor of that name at a place between the first layer (0) and the last (1), as mergekit's
 * `evaluate_setting` finds it: numbers of a gradient are interpolated, of other values the nearest below is taken. Undefined
 * where no condition holds.
 */
export function evaluate<Scalar extends number | boolean>(
  setting: Setting<Scalar>,
  tensorName: string,
  place: number,
): Scalar | number | undefined {
  const parts = listOf(setting);
  const conditions = parts.filter(isCondition);
  if (conditions.length === 0) return alongGradient(listOf(setting).filter(isScalar), place);
  const holds = ({ filter = '*' }: Condition<Scalar>) => filter === '*' || tensorName.includes(filter);
  const first = conditions.find(holds);
  return first && alongGradient(listOf(first.value), place);
}

function alongGradient<Scalar extends number | boolean>(
  values: readonly Scalar[],
  place: number,
): Scalar | number | undefined {
  const scaled = place * (values.length - 1);
  const index = Math.floor(scaled);
  const lower = values[index];
  const upper = values[Math.min(values.length - 1, index + 1)];
  if (typeof lower !== 'number' || typeof upper !== 'number') return lower;
  const share = scaled - index;
  return (1 - share) * lower + share * upper;
}

function listOf<Item>(itemOrList: Item | Item[]): Item[] {
  return Array.isArray(itemOrList) ? itemOrList : [itemOrList];
}

function isCondition<Scalar>(part: Scalar | Condition<Scalar>): part is Condition<Scalar> {
  return typeof part === 'object';
}

function isScalar<Scalar>(part: Scalar | Condition<Scalar>): part is Scalar {
  return !isCondition(part);
}
