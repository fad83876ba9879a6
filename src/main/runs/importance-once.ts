import { Engine, type LaunchEngine } from '../engine/index.ts';
import type {
  ImportanceEvent,
  ImportanceInput,
  ImportanceResult,
  TrainingJobs,
} from '../training/messages.ts';

/** As much text at once as llama.cpp's tool gives a model, in tokens. */
export const importanceContext = 512;

/**
 * Computes an importance matrix in an engine process of its own, which gives back all memory when it ends. Errors: those of the
 * training engine's job, `engine-died`, `cancelled`.
 */
export async function importanceOnce(
  input: ImportanceInput,
  options: { launchEngine: LaunchEngine; signal: AbortSignal; onEvent?: (event: ImportanceEvent) => void },
): Promise<ImportanceResult> {
  const { launchEngine, ...rest } = options;
  const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchEngine });
  try {
    return await engine.run('importance', input, rest);
  } finally {
    await engine.stop();
  }
}
