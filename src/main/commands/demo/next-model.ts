import { bestOf } from '../../../shared/best-model.ts';
import { launchChildProcess } from '../../engine/index.ts';
import { fitsMemory, type RecommendedModel, recommendedModels } from '../../hub/index.ts';
import { Machine, memoryNow } from '../../machine/index.ts';

/** The model to get for this machine, of those that Puna recommends; without asking anybody else. Null where none fits. */
export async function nextModel({
  folder,
  language,
}: {
  /** Nothing is written there. */
  folder: string;
  language: string;
}): Promise<RecommendedModel | null> {
  const machine = new Machine({ dataFolder: folder, launchEngine: launchChildProcess });
  try {
    // By its size alone where the machine cannot be asked.
    const hasRoom = await machine.room().catch(() => null);
    const models = recommendedModels.map((model) => {
      const bytes = model.gigabytes * 1e9;
      const { quantization } = model;
      return { ...model, fits: hasRoom ? hasRoom({ bytes, quantization, config: null }) : fitsMemory(bytes) };
    });
    return bestOf(models, { memory: memoryNow().total, language });
  } finally {
    await machine.close();
  }
}
