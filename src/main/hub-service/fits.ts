import { fitsMemory } from '../hub/index.ts';
import type { FarModel } from '../machine/index.ts';

/** Tells whether this machine has room for a model of the hub. */
export type Fits = (model: Pick<FarModel, 'bytes' | 'quantization'>) => boolean;

/** As it is reckoned of models that are here (`Machine.room`); by size alone where the machine cannot be asked. */
export async function fitsFrom(room: () => Promise<(model: FarModel) => boolean>): Promise<Fits> {
  const hasRoom = await room().catch(() => null);
  // Repositories of GGUF files have no configuration as a rule, and asking for one takes a request each.
  return (model) => (hasRoom ? hasRoom({ ...model, config: null }) : fitsMemory(model.bytes));
}
