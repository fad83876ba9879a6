import { PunaError } from '../../../shared/error.ts';
import { damagedFile } from './damaged.ts';
import { PickleDict, type PickleValue } from './pickle-value.ts';
import { quoted } from './printable.ts';
import { TensorView } from './pytorch-world.ts';
import { maxTensors } from './safetensors-types.ts';

/** Under which checkpoints of training keep the model, beside the optimizer and more. */
const keysOfModel = ['state_dict', 'model_state_dict', 'model', 'module'];
/** Of such dictionaries that are looked into; a pickle can also put one into itself. */
const maxDictionaries = 16;

/**
 * The tensors of a checkpoint by name: those of the dictionary that it is, or of the one under a usual name in it.
 * Values that are not tensors are left out. Errors: `file-damaged` (a name twice), `unsupported-model` (no tensors).
 */
export function stateDictOf(value: PickleValue, fileName: string): ReadonlyMap<string, TensorView> {
  const found = findTensors(value, fileName, new Set());
  if (found) return found;
  throw new PunaError(
    'unsupported-model',
    `${fileName} has no tensors by name.`,
    "Choose a file with a model's weights, saved as torch.save(model.state_dict(), …).",
  );
}

function findTensors(
  value: PickleValue,
  fileName: string,
  seen: Set<PickleDict>,
): ReadonlyMap<string, TensorView> | undefined {
  if (!(value instanceof PickleDict) || seen.has(value) || seen.size === maxDictionaries) return undefined;
  seen.add(value);
  // First: beside the model there can be single tensors, such as the state of a random generator.
  for (const key of keysOfModel) {
    const entry = value.entries.find(([other]) => other === key);
    const found = entry && findTensors(entry[1], fileName, seen);
    if (found) return found;
  }
  const tensors = new Map<string, TensorView>();
  for (const [key, tensor] of value.entries) {
    if (!(tensor instanceof TensorView)) continue;
    if (typeof key !== 'string') throw damagedFile(fileName, 'it has a tensor whose name is not a text');
    if (tensors.has(key)) throw damagedFile(fileName, `it has the tensor ${quoted(key)} twice`);
    if (tensors.size === maxTensors) throw damagedFile(fileName, `it has more than ${maxTensors} tensors`);
    tensors.set(key, tensor);
  }
  return tensors.size > 0 ? tensors : undefined;
}
