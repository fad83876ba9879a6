import { PunaError } from '../../shared/error.ts';
import { databaseError } from '../history/index.ts';

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

/**
 * Runs a command until it is done or Ctrl-C asks it to stop, and turns what it throws into one line on stderr.
 * A second Ctrl-C ends the process at once.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    controller.abort();
    process.once('SIGINT', () => process.exit(exitStatus.failed));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    await command(controller.signal);
  } catch (thrown) {
    const { message, remedy } = PunaError.from(databaseError(thrown));
    process.stderr.write(`puna: ${`${message} ${remedy}`.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
    process.exitCode = exitStatus.failed;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
