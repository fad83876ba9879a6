import { PunaError } from '../../../shared/error.ts';
import { damagedFile } from '../formats/damaged.ts';
import { quoted } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import { hasFloats } from '../tensors/floats.ts';

/** A tensor of an adapter's file: half of what changes a weight. */
export interface Half {
  readonly weight: string;
  readonly half: 'a' | 'b';
  readonly tensor: Tensor;
}

/**
 * Both halves of every weight, in the order in which weights first appear. `path` is what errors call the file.
 * Errors: `file-damaged` (a half without the other, halves that do not go together), `unsupported-model` (no matrices),
 * `invalid-input` (there are none).
 */
export function pairHalves(halves: readonly Half[], path: string): Map<string, { a: Tensor; b: Tensor }> {
  if (halves.length === 0) {
    throw new PunaError(
      'invalid-input',
      `${path} has no adapter in it.`,
      'Choose the file of a LoRA adapter.',
    );
  }
  const pairs = new Map<string, { a: Tensor; b: Tensor }>();
  for (const [weight, found] of Map.groupBy(halves, (half) => half.weight)) {
    const [a, b] = (['a', 'b'] as const).map((which) => found.find(({ half }) => half === which)?.tensor);
    if (!a || !b) {
      const [here, missing] = a ? ['A', 'B'] : ['B', 'A'];
      throw damagedFile(path, `for ${quoted(weight)} it has ${here}, but not ${missing}`);
    }
    if (found.length > 2) throw damagedFile(path, `it has more than one adapter for ${quoted(weight)}`);
    checkPair(weight, a, b, path);
    pairs.set(weight, { a, b });
  }
  return pairs;
}

function checkPair(weight: string, a: Tensor, b: Tensor, path: string): void {
  if (a.shape.length !== 2 || b.shape.length !== 2 || !hasFloats(a) || !hasFloats(b)) {
    throw new PunaError(
      'unsupported-model',
      `${path} changes ${quoted(weight)} by tensors of ${shown(a)} and ${shown(b)}, and Puna works with pairs of matrices.`,
      'Look for an adapter of linear layers only.',
    );
  }
  if (a.shape[0] === b.shape[1] && !a.shape.includes(0) && !b.shape.includes(0)) return;
  throw damagedFile(path, `for ${quoted(weight)}, A of ${shown(a)} and B of ${shown(b)} do not go together`);
}

function shown({ shape, type }: Tensor): string {
  return `${shape.join(' × ')} (${type.name})`;
}
