/** What helps to find a fault, without private text. */
export { measureDataFolder } from './data-folder.ts';
export { Diagnostics } from './diagnostics.ts';
