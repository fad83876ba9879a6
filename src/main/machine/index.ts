/** What this machine has and can do, and whether models fit. */
export { Machine, type FitOptions, type MachineOptions } from './machine.ts';
export { memoryNow } from './memory.ts';
export type { FarModel } from './needs-from-shape.ts';
