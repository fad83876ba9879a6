import { Option } from 'commander';
import { PunaError } from '../../shared/error.ts';
import { Engine, launchChildProcess } from '../engine/index.ts';
import { size } from '../weights/figures.ts';
import type { WeightsEvent, WeightsJobs, WeightsOperation, WeightsResult } from '../weights/messages.ts';
import { duration } from './duration.ts';
import type { Output } from './output.ts';

const clearLine = '\r\u001b[K';
/** Before that, what is left is a guess from hardly anything. */
const secondsUntilGuess = 2;

/**
 * Runs an operation on weights in an engine of its own, tells how it goes, and sums up what came of it. Errors: those of the engine,
 * `cancelled`.
 */
export async function runOperation(
  operation: WeightsOperation,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<WeightsResult> {
  const engine = new Engine<WeightsJobs>({ entry: 'weights-engine', launch: launchChildProcess });
  const startedAt = performance.now();
  const shown: string[] = [];
  const onEvent = (event: WeightsEvent) => {
    output.event({ ...event });
    if (event.type === 'note') {
      shown.push(event.text);
      output.note(`${clearLine}${event.text}\n`);
    }
    if (event.type === 'progress') {
      output.note(`${clearLine}${progressLine(event, (performance.now() - startedAt) / 1000)}`);
    }
  };
  try {
    const result = await engine.run('run', operation, { signal, onEvent });
    output.note(clearLine);
    // Notes are told at once; on a terminal they still stand there.
    const stand = process.stdout.isTTY && process.stderr.isTTY ? shown : [];
    output.text(summary({ ...result, notes: result.notes.filter((note) => !stand.includes(note)) }));
    return result;
  } catch (thrown) {
    output.note(clearLine);
    throw signal.aborted ? stopped(thrown) : thrown;
  } finally {
    await engine.stop();
  }
}

function stopped(cause: unknown): PunaError {
  return new PunaError(
    'cancelled',
    'It was stopped before it was done.',
    'Run the same command again, and it goes on from there.',
    { cause },
  );
}

/** `writing 42 %, 5.6 GB of 13.5 GB, 1 min 5 s left`. */
export function progressLine(
  { phase, done, total }: Extract<WeightsEvent, { type: 'progress' }>,
  seconds: number,
): string {
  const share = total > 0 ? done / total : 1;
  const canGuess = seconds >= secondsUntilGuess && share > 0 && share < 1;
  const left = canGuess ? `, ${duration(seconds * (1 / share - 1))} left` : '';
  return `${phase} ${Math.floor(share * 100)} %, ${size(done)} of ${size(total)}${left}`;
}

/** What a person reads when it is done. */
export function summary({
  out,
  bytes,
  seconds,
  proof,
  changes,
  notes,
}: Pick<WeightsResult, 'out' | 'bytes' | 'seconds' | 'proof' | 'changes' | 'notes'>): string {
  return [
    `${out}: ${size(bytes)} in ${duration(seconds)}.`,
    proof.text,
    ...changeLines(changes),
    ...notes,
    '',
  ].join('\n');
}

/** The least and the most that a layer was changed. */
function changeLines(changes: WeightsResult['changes']): string[] {
  const layers = changes
    .filter(({ layer }) => layer !== null)
    .toSorted((one, other) => one.change - other.change);
  const [least, most] = [layers[0], layers.at(-1)];
  if (!least || !most) return [];
  const percent = ({ change }: typeof least) => `${Number((change * 100).toPrecision(2))} %`;
  if (percent(least) === percent(most)) {
    return [`The weights change by ${percent(most)} in ${least === most ? 'one layer' : 'every layer'}.`];
  }
  return [
    `The weights change by ${percent(least)} in layer ${least.layer}, where it is least, ` +
      `to ${percent(most)} in layer ${most.layer}, where it is most.`,
  ];
}

/** The option that most of them have. */
export const typeOption = () =>
  new Option(
    '--type <name>',
    'how matrices are stored, such as f16, q8_0 or Q4_K_M; without it as they are in the source',
  );
