import { bestOf } from '../../../shared/best-model.ts';
import { type RecommendedModel, recommendedModels } from '../../hub/index.ts';
import { memoryNow } from '../../machine/index.ts';
import { machineFits } from '../machine-fits.ts';

/** The model to get for this machine, of those that Puna recommends; without asking anybody else. Null where none fits. */
export async function nextModel({
  folder,
  language,
}: {
  /** Nothing is written there. */
  folder: string;
  language: string;
}): Promise<RecommendedModel | null> {
  const fits = await machineFits(folder);
  const models = recommendedModels.map((model) => ({
    ...model,
    fits: fits({ bytes: model.gigabytes * 1e9, quantization: model.quantization }),
  }));
  return bestOf(models, { memory: memoryNow().total, language });
}
