import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WeightsOperation, WeightsProgress } from '../../shared/contract/index.ts';
import type { LaunchEngine } from '../engine/index.ts';
import { importanceContext, importanceOnce } from '../runs/importance-once.ts';

/** Where importance that is computed for a result is kept until there is one, so that it need not be computed twice. */
function importancePath(out: string): string {
  return join(dirname(out), `.${basename(out)}.imatrix.gguf`);
}

/**
 * The operation with an importance matrix instead of the text that it was to be computed from. The text is read by the engine
 * that trains, with the whole model in memory. Errors: those of the training engine's job, `engine-died`, `cancelled`.
 */
export async function withImportance(
  operation: WeightsOperation,
  {
    launchEngine,
    signal,
    onProgress,
  }: { launchEngine: LaunchEngine; signal: AbortSignal; onProgress: (progress: WeightsProgress) => void },
): Promise<WeightsOperation> {
  if (operation.kind !== 'quantize' || operation.importanceText === null) return operation;
  const importance = importancePath(operation.out);
  if (!existsSync(importance)) {
    await importanceOnce(
      {
        ...{ model: operation.from, text: operation.importanceText, out: importance },
        ...{ context: importanceContext, chunks: null, threads: null, device: 'auto', processOutput: false },
      },
      {
        ...{ launchEngine, signal },
        onEvent(event) {
          if (event.type === 'loading') onProgress({ phase: 'reading', done: event.progress, total: 1 });
          else onProgress({ phase: 'importance', done: event.chunk, total: event.chunks });
        },
      },
    );
  }
  return { ...operation, importance, importanceText: null };
}

/** Removes the importance that was computed for a result. */
export async function discardImportance({ kind, out }: WeightsOperation): Promise<void> {
  if (kind === 'quantize') await rm(importancePath(out), { force: true });
}
