import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PunaError } from '../../shared/error.ts';
import { databaseError } from '../history/index.ts';
import { fileError } from '../storage/index.ts';

/** Exit statuses, as scripts rely on them. */
export const exitStatus = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** What a command tells: words for people, or with `--json` one JSON object a line, the last one the result. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** For people only. */
  text(words: string): void {
    if (!this.json) process.stdout.write(words);
  }

  /** For people only, and not part of what a pipe passes on: progress, hints. */
  note(words: string): void {
    if (!this.json && process.stderr.isTTY) process.stderr.write(words);
  }

  /** For programs only. */
  event(event: { type: string } & Record<string, unknown>): void {
    if (this.json) process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

/** Writes pieces to standard output as fast as it takes them, however many there are. */
export async function writeToStdout(pieces: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  await pipeline(Readable.from(pieces), process.stdout, { end: false, signal });
}

/**
 * Runs a command until it is done, or until Ctrl-C or the end of the terminal asks it to stop, and turns what it throws into
 * one line on stderr. A second Ctrl-C ends the process at once.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    controller.abort();
    process.once('SIGINT', () => process.exit(exitStatus.failed));
  };
  for (const signal of askingToStop) process.once(signal, interrupt);
  let broken: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    broken ??= error;
    controller.abort();
  });
  // Where not even complaints can be written, there is nobody left to complain to.
  process.stderr.on('error', () => undefined);
  try {
    await command(controller.signal);
    await stdoutFlushed();
    if (broken) throw broken;
  } catch (thrown) {
    if (isReaderGone(thrown) || isReaderGone(broken)) return;
    const { message, remedy } = PunaError.from(
      thrown === broken ? fileError(thrown, 'standard output') : reasonOf(thrown),
    );
    process.stderr.write(`puna: ${`${message} ${remedy}`.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
    process.exitCode = exitStatus.failed;
  } finally {
    for (const signal of askingToStop) process.off(signal, interrupt);
  }
}

/** SIGHUP comes when the terminal is closed. */
const askingToStop = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What was written has arrived, or has failed with an `error` event. */
function stdoutFlushed(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => setImmediate(resolve)));
}

function reasonOf(thrown: unknown): unknown {
  const stopped = thrown instanceof Error && thrown.name === 'AbortError';
  return stopped ? new PunaError('cancelled', 'It was stopped before it was done.') : databaseError(thrown);
}

/** Whether the output's reader has left, as `| head` does, or the terminal was closed: no failure, but nothing more to do. */
function isReaderGone(thrown: unknown): boolean {
  return thrown instanceof Error && ['EPIPE', 'EIO'].includes((thrown as NodeJS.ErrnoException).code ?? '');
}
