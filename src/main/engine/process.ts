/** An engine process as main sees it, however it was forked. */
export interface EngineProcess {
  readonly pid: number | undefined;
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** What it writes to stderr, in pieces. */
  onStderr(listener: (text: string) => void): void;
  /** `code` is null when a signal ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** Asks it to end; `SIGKILL` does not ask. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Forks a process that runs this file. */
export type LaunchEngine = (entryFile: string) => EngineProcess;
