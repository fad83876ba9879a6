import type { ErrorCode } from '../../shared/error.ts';

/** What an engine can do: by name, what a job takes, what it tells while it runs, and what it gives in the end. */
export type JobTable = Record<string, { input: unknown; event: unknown; result: unknown }>;

/** From main to an engine process. Everything survives structured cloning. */
export type ToEngine<Jobs extends JobTable> =
  | { [Kind in keyof Jobs]: { type: 'job'; id: number; kind: Kind; input: Jobs[Kind]['input'] } }[keyof Jobs]
  | { type: 'cancel'; id: number }
  /** Finish what can be finished and leave. */
  | { type: 'stop' };

/** From an engine process to main. */
export type FromEngine<Jobs extends JobTable> =
  | { type: 'ready' }
  /** The event loop still turns. */
  | { type: 'heartbeat' }
  | { type: 'event'; id: number; event: Jobs[keyof Jobs]['event'] }
  | { type: 'result'; id: number; result: Jobs[keyof Jobs]['result'] }
  | { type: 'error'; id: number; code: ErrorCode; message: string; remedy: string };
