import { Option } from 'commander';
import { Engine, launchChildProcess } from '../engine/index.ts';
import { size } from '../weights/figures.ts';
import type { WeightsEvent, WeightsJobs, WeightsOperation, WeightsResult } from '../weights/messages.ts';
import { duration } from './duration.ts';
import type { Output } from './output.ts';

/** Runs an operation on weights in an engine of its own and tells how it goes. Errors: those of the engine. */
export async function runOperation(
  operation: WeightsOperation,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<WeightsResult> {
  const engine = new Engine<WeightsJobs>({ entry: 'weights-engine', launch: launchChildProcess });
  const startedAt = performance.now();
  const onEvent = (event: WeightsEvent) => {
    output.event({ ...event });
    if (event.type === 'note') output.note(`\r\u001b[K${event.text}\n`);
    if (event.type === 'progress') output.note(progressLine(event, performance.now() - startedAt));
  };
  try {
    return await engine.run('run', operation, { signal, onEvent });
  } finally {
    await engine.stop();
  }
}

function progressLine(
  { phase, done, total }: Extract<WeightsEvent, { type: 'progress' }>,
  elapsed: number,
): string {
  const share = total > 0 ? done / total : 1;
  const left = share > 0 ? `, ${duration((elapsed / 1000) * (1 / share - 1))} left` : '';
  return `\r\u001b[K${phase} ${Math.floor(share * 100)} %, ${size(done)} of ${size(total)}${left}`;
}

/** What a person reads when it is done. */
export function summary({ out, bytes, seconds, proof, notes }: WeightsResult): string {
  return [`${out}: ${size(bytes)} in ${duration(seconds)}.`, proof.text, ...notes, ''].join('\n');
}

/** The option that most of them have. */
export const typeOption = () =>
  new Option(
    '--type <name>',
    'how matrices are stored, such as f16, q8_0 or Q4_K_M; without it as they are in the source',
  );
