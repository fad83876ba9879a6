/** An engine process as main sees it, however it was forked. */
export interface EngineProcess {
  readonly pid: number | undefined;
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** What it writes to stderr, in pieces. */
  onStderr(listener: (text: string) => void): void;
  /**
   * It has ended, and what it wrote to stderr has been told. `code` is null when a signal ended it, and both are null when it
   * could not even be started.
   */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** Asks it to end; `SIGKILL` does not ask. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Forks a process that runs this file. */
export type LaunchEngine = (entryFile: string) => EngineProcess;
