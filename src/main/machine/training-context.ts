import { defaultTrainingSettings } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { EstimateInput, EstimateResult } from '../training/messages.ts';

/** Data has to hold something; longer ones take hours, and their graphs seconds to measure. */
const shortest = 128;
const longest = 8192;

/**
 * The longest sequence with which an adapter of the usual kind can be taught where so much memory may be taken on the processor: a
 * power of two, or what the model was made for. 0: there is none; null: models of this kind cannot be taught.
 */
export async function trainingContext(
  model: { path: string; contextLength: number | null },
  usable: number,
  estimate: (input: EstimateInput) => Promise<EstimateResult>,
): Promise<number | null> {
  const most = Math.min(longest, model.contextLength ?? longest);
  let fitting = 0;
  try {
    for (let context = Math.min(shortest, most); ; context = Math.min(context * 2, most)) {
      const found = await estimate({
        ...{ model: model.path, length: context, evaluates: true, speed: false },
        settings: { ...defaultTrainingSettings, context, recompute: 'always' },
      });
      // On a GPU the engine knows best what is free there.
      const fits = found.device.startsWith('CPU') ? found.bytes <= usable : found.fits;
      if (!fits) return fitting;
      fitting = context;
      if (context === most) return fitting;
    }
  } catch (thrown) {
    if (PunaError.from(thrown).code === 'unsupported-model') return null;
    throw thrown;
  }
}
