import { basename } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { anyBaseAdvice } from '../../../shared/other-base.ts';
import { fingerprintOf, trainedOn } from '../base-model.ts';
import { quoted } from '../formats/gguf.ts';
import type { ModelFile } from '../model-file.ts';

/** Fastest dimension first. */
type Shape = readonly number[];

/** What of an adapter decides whether it fits: its pairs of tensors, named after the weight that they change. */
export interface FittedAdapter extends Pick<ModelFile, 'path' | 'kind' | 'architecture' | 'metadata'> {
  tensors: readonly { name: string; shape: Shape }[];
}

/** What adapters are held against. A file's whole description has its vocabulary too, which is much to keep. */
export interface AdapterBase {
  architecture: string | null;
  sha256: string;
  bytes: number;
  shapes: ReadonlyMap<string, Shape>;
}

export function adapterBase(file: ModelFile): AdapterBase {
  const shapes = new Map(file.tensors.map(({ name, shape }) => [name, shape]));
  return { architecture: file.architecture, ...fingerprintOf(file), shapes };
}

/**
 * Refuses what is no adapter of this model, before llama.cpp does so in its own words. An adapter that fits by its shapes and
 * tells that it was trained on another file would work, but say other things than its makers saw; `anyBase` allows that.
 * Errors: `invalid-input`.
 */
export function refuseUnfit(
  adapter: FittedAdapter,
  base: AdapterBase,
  { anyBase }: { anyBase: boolean },
): void {
  const name = basename(adapter.path);
  if (adapter.kind !== 'adapter') {
    throw new PunaError(
      'invalid-input',
      `${name} is no adapter.`,
      'Choose it as the model, or take another adapter.',
    );
  }
  const own = trainedOn(adapter);
  const misfit = misfitOf(adapter, base);
  if (misfit !== null) {
    const right = own
      ? `the model that it was trained on, ${quoted(own.name)}`
      : 'the model that it was trained on';
    throw new PunaError('invalid-input', `${name} ${misfit}.`, `Choose ${right}, or switch the adapter off.`);
  }
  if (anyBase || own === null) return;
  const isAlike = own.sha256 === base.sha256;
  if (isAlike && own.bytes === base.bytes) return;
  throw new PunaError(
    'invalid-input',
    `${name} was trained on ${quoted(own.name)}, and this model is another file.`,
    // All shapes fit. Where types differ, the usual reason is the harmless one.
    isAlike
      ? `${anyBaseAdvice}.`
      : `${anyBaseAdvice}: its shapes fit, as they do where this is the same model in another quantization.`,
  );
}

/** Why the shapes do not fit, to stand behind the adapter's name; null where they do. */
function misfitOf({ architecture, tensors }: FittedAdapter, base: AdapterBase): string | null {
  if (architecture !== null && architecture !== base.architecture) {
    return `is an adapter for ${quoted(architecture)} models, and this is a ${quoted(base.architecture ?? '')} model`;
  }
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  for (const { name } of tensors) {
    const weight = weightOf(name);
    if (weight === null) continue;
    const own = base.shapes.get(weight);
    if (!own) return `changes ${quoted(weight)}, which this model does not have`;
    const [a, b] = [shapes.get(`${weight}.lora_a`), shapes.get(`${weight}.lora_b`)];
    // llama.cpp says so of half a pair.
    if (!a || !b) continue;
    const pair = pairOf(weight, a, b);
    if (!isSame(pair.changed, own)) {
      return `changes ${quoted(weight)} of ${shown(pair.changed)}, which is of ${shown(own)} in this model`;
    }
    if (!pair.fitsTogether) {
      return `is damaged: for ${quoted(weight)}, lora_a of ${shown(a)} and lora_b of ${shown(b)} do not go together`;
    }
  }
  return null;
}

/** `blk.0.attn_q.weight.lora_a` → `blk.0.attn_q.weight`; null for what else an adapter may hold. */
function weightOf(name: string): string | null {
  return /^(.+)\.lora_[ab]$/.exec(name)?.[1] ?? null;
}

/** The shape of what A [in, r] and B [r, out] change together, and whether they have the same r. Of experts, each has its own. */
function pairOf(weight: string, a: Shape, b: Shape): { changed: Shape; fitsTogether: boolean } {
  const [a0 = 1, a1 = 1, ...aExperts] = a;
  const [b0 = 1, b1 = 1, ...bExperts] = b;
  const experts = isSame(aExperts, bExperts);
  // Rows of the embedding are looked up in A, which llama.cpp therefore wants as [r, vocabulary].
  if (weight === 'token_embd.weight') return { changed: [b1, a1], fitsTogether: a0 === b0 && experts };
  return { changed: [a0, b1, ...aExperts], fitsTogether: a1 === b0 && experts };
}

/** Files may leave out a shape's last ones. */
function isSame(one: Shape, other: Shape): boolean {
  const axes = Math.max(one.length, other.length);
  return Array.from({ length: axes }, (_, axis) => (one[axis] ?? 1) === (other[axis] ?? 1)).every(Boolean);
}

function shown(shape: Shape): string {
  return shape.join(' × ');
}
