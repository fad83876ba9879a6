import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LogFile } from './log-file.ts';
import { type Places, withoutPrivateText } from './private.ts';
import { describeThrown } from './thrown.ts';

/** Where the log of a data folder lies. */
export function logFile(dataFolder: string): string {
  return join(dataFolder, 'logs', 'puna.log');
}

/** What a log of this process may name. The program: the folder with `src`, or with `out` once it is built. */
export function placesOf(dataFolder: string): Places {
  const here = fileURLToPath(import.meta.url);
  const [root] = here.split(/[\\/](?:src|out)[\\/]main[\\/]/);
  return { home: homedir(), dataFolder, program: root ?? dirname(here) };
}

export interface LogOptions {
  now?: () => number;
  places?: Places;
}

/** In a minute; what goes on without end says nothing new, and must not keep the disk busy. */
const mostLines = 300;
const minuteMs = 60_000;

/**
 * What happened to Puna, for whoever looks for a fault: starts, ends, failures. Nothing of what people write, and no names of their files:
 * whatever comes here goes through `withoutPrivateText`.
 */
export class Log {
  readonly #file: LogFile;
  readonly #places: Places;
  readonly #now: () => number;
  #minute = 0;
  #linesInMinute = 0;

  constructor(dataFolder: string, { now = Date.now, places = placesOf(dataFolder) }: LogOptions = {}) {
    this.#file = new LogFile(logFile(dataFolder));
    this.#places = places;
    this.#now = now;
  }

  info(words: string): void {
    this.#write('info', [withoutPrivateText(words, this.#places)]);
  }

  warn(...things: readonly unknown[]): void {
    this.#write('warning', this.#describe(things));
  }

  error(...things: readonly unknown[]): void {
    this.#write('error', this.#describe(things));
  }

  #describe(things: readonly unknown[]): string[] {
    return things.flatMap((thing) => describeThrown(thing, this.#places)).filter((line) => line !== '');
  }

  #write(level: 'info' | 'warning' | 'error', lines: readonly string[]): void {
    const now = this.#now();
    const minute = Math.floor(now / minuteMs);
    if (minute !== this.#minute) [this.#minute, this.#linesInMinute] = [minute, 0];
    if (this.#linesInMinute >= mostLines) return;
    this.#linesInMinute += lines.length;
    const time = new Date(now).toISOString();
    lines.forEach((line, index) => this.#file.write(`${time} ${index === 0 ? level : '      '} ${line}`));
    if (this.#linesInMinute >= mostLines)
      this.#file.write(`${time} ${level} More came than fits; what else came in this minute is left out.`);
  }
}
