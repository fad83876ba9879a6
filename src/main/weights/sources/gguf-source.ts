import { openFileSource } from '../formats/byte-source.ts';
import { quoted } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import { tensorTypes } from '../formats/tensor.ts';
import { readModelFile } from '../model-file.ts';
import { elementwise, renamed, rotaryRows } from '../tensors/views.ts';
import { PunaError } from '../../../shared/error.ts';
import { architectureNamed, huggingFaceName, isNorm, rotatedHeads } from './architectures.ts';
import { checkHeads, headCounts } from './head-counts.ts';
import type { ModelDescription, ModelSource } from './model-source.ts';

/** Opens a GGUF model of one or more parts. Errors: those of `readModelFile`, `invalid-input` (an adapter). */
export async function openGgufSource(path: string): Promise<ModelSource> {
  const file = await readModelFile(path);
  if (file.kind === 'adapter') {
    throw new PunaError(
      'invalid-input',
      `${path} is an adapter, not a model.`,
      'Use it with puna adapter, or name the model.',
    );
  }
  await using opened = new AsyncDisposableStack();
  const stored: Tensor[] = [];
  for (const part of file.files) {
    const source = opened.use(await openFileSource(part.path));
    for (const { name, type, shape, offset } of part.tensors) {
      const read = async (target: Uint8Array, at: number) => {
        const filled = await source.read(target, part.dataOffset + offset + at);
        if (filled < target.byteLength) {
          throw new PunaError('file-damaged', `${part.path} ends in the tensor ${quoted(name)}.`);
        }
      };
      stored.push({ name, type: tensorTypes[type.name], shape: shape.toReversed(), read });
    }
  }
  const architecture = architectureNamed(file.architecture ?? '') ?? null;
  const tensors = new Map<string, Tensor>();
  const extraTensors: Tensor[] = [];
  const description: ModelDescription = { form: 'gguf', metadata: file.metadata, extraTensors };
  const heads = architecture?.pairsRotary ? headCounts({ path, description }) : null;
  for (const tensor of stored) {
    const name = architecture ? huggingFaceName(architecture, tensor.name) : tensor.name;
    if (name === undefined) {
      extraTensors.push(tensor);
      continue;
    }
    const rotated = heads ? rotatedHeads(name) : null;
    if (heads && rotated) checkHeads(path, tensor, heads[rotated]);
    const ordered = heads && rotated ? rotaryRows(tensor, heads[rotated], 'halves') : tensor;
    const plain =
      architecture?.addsOneToNorms && isNorm(name)
        ? elementwise(ordered, [ordered], ([weights]) => weights.map((weight) => weight - 1))
        : ordered;
    tensors.set(name, renamed(plain, name));
  }
  const kept = opened.move();
  return {
    ...{ path, layout: 'gguf', architecture, tensors, description },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
