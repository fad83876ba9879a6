import { open, rm } from 'node:fs/promises';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { metadataString, readGguf, type TensorToWrite, writeGguf } from '../weights/formats/gguf.ts';
import { trimmed } from './adapter-file.ts';
import { type ParameterSet, type TensorPart, tensorParts, type TrainedTensor } from './parameters.ts';

/** Where a run stands, beside the numbers of its parameters. */
export interface RunState {
  /** Steps that are done. */
  step: number;
  loss: number | null;
  validationLoss: number | null;
  /** Of the best measurement so far, whose adapter is kept. */
  bestValidationLoss: number | null;
  /** Measurements since then. */
  withoutImprovement: number;
  /** Of the model as it was before the first step; null where that was not measured. */
  baseValidationLoss: number | null;
}

/** What must be the same for a run to go on. */
export interface RunIdentity {
  base: string;
  baseBytes: number;
  data: string;
  settings: string;
}

const stateKey = 'puna.checkpoint';
const stored = z.object({
  identity: z.object({ base: z.string(), baseBytes: z.number(), data: z.string(), settings: z.string() }),
  state: z.object({
    step: z.int().nonnegative(),
    loss: z.number().nullable(),
    validationLoss: z.number().nullable(),
    bestValidationLoss: z.number().nullable(),
    withoutImprovement: z.int().nonnegative(),
    baseValidationLoss: z.number().nullable(),
  }),
});

const tensorName = (name: string, part: TensorPart) => (part === 'value' ? name : `${name}.${part}`);

/** Writes all that a run needs to go on as if it had never stopped. Errors: `disk-full`, and those of writing a file. */
export async function saveCheckpoint(
  path: string,
  identity: RunIdentity,
  state: RunState,
  parameters: ParameterSet,
): Promise<void> {
  const tensors = parameters.tensors.flatMap((tensor) =>
    tensorParts.map((part): TensorToWrite => ({
      ...{ name: tensorName(tensor.name, part), type: 'F32', shape: trimmed(tensor.value.shape) },
      *data() {
        yield parameters.read(tensor, part);
      },
    })),
  );
  const metadata = new Map([
    ['general.type', { type: 'string', value: 'checkpoint' } as const],
    [stateKey, { type: 'string', value: JSON.stringify({ identity, state }) } as const],
  ]);
  await writeGguf(path, { metadata, tensors });
}

/**
 * Reads a checkpoint into the parameters. Errors: `file-missing`, `file-damaged`, `invalid-input` where the model, the data or
 * the settings are not those that the checkpoint was made with.
 */
export async function loadCheckpoint(
  path: string,
  identity: RunIdentity,
  parameters: ParameterSet,
): Promise<RunState> {
  const gguf = await readGguf(path);
  const found = stored.safeParse(parsed(metadataString(gguf.metadata, stateKey)));
  if (!found.success) {
    throw new PunaError('file-damaged', `${path} is no checkpoint of a training run.`, restart);
  }
  refuseOthers(path, found.data.identity, identity);
  const places = new Map(gguf.tensors.map((tensor) => [tensor.name, tensor]));
  await using handle = await open(path, 'r');
  for (const tensor of parameters.tensors) {
    for (const part of tensorParts) {
      const place = places.get(tensorName(tensor.name, part));
      if (!place || place.bytes !== tensor.value.bytes) throw damaged(path, tensor);
      const numbers = new Float32Array(tensor.value.count);
      const bytes = new Uint8Array(numbers.buffer);
      const { bytesRead } = await handle.read(bytes, 0, place.bytes, gguf.dataOffset + place.offset);
      if (bytesRead !== place.bytes) throw damaged(path, tensor);
      parameters.write(tensor, part, numbers);
    }
  }
  return found.data.state;
}

/** Once the run is done. */
export async function removeCheckpoint(path: string): Promise<void> {
  await rm(path, { force: true });
}

const restart = 'Train again without --resume.';

function damaged(path: string, { name }: TrainedTensor): PunaError {
  return new PunaError('file-damaged', `The checkpoint ${path} does not fit the model at ${name}.`, restart);
}

function refuseOthers(path: string, found: RunIdentity, wanted: RunIdentity): void {
  const [different] = [
    found.base !== wanted.base || found.baseBytes !== wanted.baseBytes ? 'The model has' : null,
    found.data !== wanted.data ? 'The data have' : null,
    found.settings !== wanted.settings ? 'The settings have' : null,
  ].filter((what) => what !== null);
  if (!different) return;
  throw new PunaError(
    'invalid-input',
    `${different} changed since the checkpoint ${path} was made.`,
    `Give the same again, or ${restart.charAt(0).toLowerCase()}${restart.slice(1)}`,
  );
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
