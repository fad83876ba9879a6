/** Processes that do the heavy work: how main runs them (Engine) and how they answer (serveEngine). */
export { Engine, type EngineOptions } from './engine.ts';
export { HelperEngine } from './helper-engine.ts';
export { lentForkVariable, type ForkReport, type ForkRequest } from './lent-fork.ts';
export { launchChildProcess } from './launch-child-process.ts';
export { endText, type EngineRecord, EngineRoster } from './roster.ts';
export type { EngineProcess, LaunchEngine } from './process.ts';
