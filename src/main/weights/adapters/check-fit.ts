import { readModelFile } from '../model-file.ts';
import { ggufName } from '../sources/architectures.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { type Adapter, embeddingName, headName } from './adapter.ts';
import { type AdapterBase, adapterBase, refuseUnfit } from './fit.ts';

/**
 * Refuses an adapter of another architecture or other shapes, and, but for `anyBase`, one that tells that it was trained on
 * another file. Errors: `invalid-input`, and those of reading a GGUF base.
 */
export async function checkAdapterFits(
  base: ModelSource,
  adapter: Adapter,
  { anyBase }: { anyBase: boolean },
): Promise<void> {
  const named = namesIn(base);
  refuseUnfit(
    {
      ...{ path: adapter.path, kind: 'adapter', metadata: adapter.metadata },
      architecture: base.architecture && adapter.architecture,
      tensors: [...adapter.modules].flatMap(([weight, { a, b }]) => {
        const name = named(weight);
        // GGUF has those of the embeddings turned around (`fit.ts`).
        const [first, second] =
          name === 'token_embd.weight'
            ? [b.shape.toReversed(), a.shape]
            : [a.shape.toReversed(), b.shape.toReversed()];
        return [
          { name: `${name}.lora_a`, shape: first },
          { name: `${name}.lora_b`, shape: second },
        ];
      }),
    },
    await describedBase(base, named),
    { anyBase },
  );
}

/** A person who has a GGUF file knows its weights by GGUF's names. */
function namesIn({ layout, architecture }: ModelSource): (weight: string) => string {
  if (layout !== 'gguf' || !architecture) return (weight) => weight;
  return (weight) => ggufName(architecture, weight) ?? weight;
}

async function describedBase(base: ModelSource, named: (weight: string) => string): Promise<AdapterBase> {
  const shapes = new Map(
    [...base.tensors].map(([name, { shape }]) => [named(name), shape.toReversed()] as const),
  );
  // Where embeddings and head are one, the head is there under their name.
  const embedding = shapes.get(named(embeddingName));
  if (embedding && !shapes.has(named(headName))) shapes.set(named(headName), embedding);
  const architecture = base.architecture?.name ?? null;
  if (base.layout !== 'gguf') return { architecture, shapes, sha256: '', bytes: 0 };
  return { ...adapterBase(await readModelFile(base.path)), shapes };
}
