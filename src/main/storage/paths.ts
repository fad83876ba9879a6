import envPaths from 'env-paths';
import filenamify from 'filenamify';
import { resolve } from 'node:path';

/**
 * The folder that everything lives in: the one that is given (`--data`), else that of the variable PUNA_DATA, else the
 * platform's place for a program's data, such as `~/.local/share/Puna`.
 */
export function dataFolder(given?: string): string {
  return resolve(given || process.env.PUNA_DATA || envPaths('Puna', { suffix: '' }).data);
}

/** File systems hold 255 bytes; a character takes up to three here, and a number or an ending may come to it. */
const maxNameCharacters = 70;

/** A name from outside as the name of a file that every system takes: no folders, no control characters, not too long. */
export function safeFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  return filenamify(last, { replacement: '_', maxLength: maxNameCharacters }).replace(/^\.+/, '') || 'file';
}
