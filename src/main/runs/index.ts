/** Training runs: their line, their engine, their memory, and what is kept of them. */
export { Line } from './line.ts';
export { Live, type LiveOptions } from './live.ts';
export { MemoryShare } from './memory-share.ts';
export { Pace } from './pace.ts';
export { suggestWith } from './suggest.ts';
export { TrainingRuns } from './training-runs.ts';
