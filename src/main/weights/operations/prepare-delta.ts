import { basename, dirname, join } from 'node:path';
import { applyDelta } from '../delta/apply.ts';
import { changesIn } from '../delta/changes.ts';
import { makeDelta } from '../delta/make.ts';
import { readProvedDelta } from '../delta/read-delta.ts';
import type { WeightsOperation } from '../messages.ts';
import { openModelSource } from '../sources/open.ts';
import { nameOf } from './paths.ts';
import type { Prepared } from './prepared.ts';

type Operation<Kind> = Extract<WeightsOperation, { kind: Kind }>;

export async function prepareDeltaApply(
  { base: basePath, delta: deltaPath, type, anyBase }: Operation<'delta-apply'>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const base = opened.use(await openModelSource(basePath));
  const delta = opened.use(await openModelSource(deltaPath));
  const proved = await readProvedDelta(delta);
  if (proved) opened.use(proved);
  const applied = applyDelta(base, delta, { proved, anyBase });
  return {
    ...applied,
    changes: changesIn,
    prove(said) {
      const proof = applied.prove(said);
      return type === null
        ? proof
        : { ...proof, text: `${proof.text} The weights were then stored as ${type}.` };
    },
    madeFrom: {
      operation: 'base + delta',
      inputs: { base: nameOf(basePath), delta: nameOf(deltaPath) },
    },
  };
}

export async function prepareDeltaMake(
  { base: basePath, target: targetPath, out, compress }: Operation<'delta-make'>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const base = opened.use(await openModelSource(basePath));
  const target = opened.use(await openModelSource(targetPath));
  const names = { base: nameOf(basePath), target: nameOf(targetPath) };
  const made = makeDelta(base, target, { names, spool: spoolOf(out) });
  return {
    ...made,
    ...{ compress, notes: [] },
    prove: () => ({
      kind: 'hashes',
      text: 'The delta carries the hashes of its base and of the target, so that whoever applies it knows that the result is right.',
    }),
    madeFrom: { operation: 'target − base', inputs: names },
  };
}

/** Where corrections of a delta lie until it is whole. */
export function spoolOf(out: string): string {
  return join(dirname(out), `.${basename(out)}.corrections`);
}
