import type { Log } from './log.ts';

/**
 * Also writes what the main process complains of to the log: `console.error`, `console.warn`, and what nobody has caught, just before it
 * ends the process. The terminal gets it as before. Returns the end of that.
 */
export function followProcess(log: Pick<Log, 'warn' | 'error'>): () => void {
  followConsole();
  logs.add(log);
  const uncaught = (error: Error): void => log.error('Nobody has caught this:', error);
  process.on('uncaughtExceptionMonitor', uncaught);
  return () => {
    logs.delete(log);
    process.off('uncaughtExceptionMonitor', uncaught);
  };
}

/** Those of the apps of this process; there is one, except in tests. */
const logs = new Set<Pick<Log, 'warn' | 'error'>>();
let isFollowed = false;

function followConsole(): void {
  if (isFollowed) return;
  isFollowed = true;
  for (const [name, level] of [
    ['error', 'error'],
    ['warn', 'warn'],
  ] as const) {
    const print = console[name];
    console[name] = (...things: unknown[]) => {
      print.apply(console, things);
      for (const log of logs) log[level](...things);
    };
  }
}
