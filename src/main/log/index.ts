/** What happened to Puna, in a file of the data folder, without private text. */
export { followProcess } from './follow-process.ts';
export { lastLines } from './log-file.ts';
export { Log, logFile, placesOf } from './log.ts';
export { type Places, shortPath, withoutPrivateText } from './private.ts';
