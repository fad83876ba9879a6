import { stat } from 'node:fs/promises';
import { soundsLikeDelta } from './delta/name.ts';
import { proofNames } from './delta/proof.ts';
import { metadataString } from './formats/gguf.ts';
import type { ModelFacts } from './messages.ts';
import { type ModelFile, readModelFile } from './model-file.ts';

/** What the library keeps of a GGUF file. `name` and `alone` as in `readModelFile`, whose errors these are. */
export async function readModelFacts(
  path: string,
  options: { name?: string; alone?: boolean } = {},
): Promise<ModelFacts> {
  const file = await readModelFile(path, options);
  const { architecture, parameters, quantization, contextLength, hasChatTemplate, bytes, metadata } = file;
  const files = file.files.map(async (part) => {
    const { mtimeMs } = await stat(part.path);
    return { path: part.path, bytes: part.bytes, modifiedAt: mtimeMs };
  });
  return {
    ...{ architecture, parameters, quantization, contextLength, hasChatTemplate, bytes },
    files: await Promise.all(files),
    kind: isDelta(file, options.name ?? path) ? 'delta' : file.kind,
    license: metadataString(metadata, 'general.license') ?? null,
    adapterType: metadataString(metadata, 'adapter.type') ?? null,
  };
}

function isDelta({ kind, tensors }: ModelFile, name: string): boolean {
  if (kind === 'adapter') return false;
  return soundsLikeDelta(name) || tensors.some((tensor) => tensor.name === proofNames.tensor);
}
