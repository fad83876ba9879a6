import { readFile, stat } from 'node:fs/promises';
import { posix, win32 } from 'node:path';

/** What tells where programs keep what they have downloaded. */
export interface Machine {
  platform: NodeJS.Platform;
  /** The person's home folder. */
  home: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** Settings of programs are short. */
const maxSettingsBytes = 1024 * 1024;

/** Folders of programs' data and settings, as each system has them. */
export function dataFolders({ platform, home, env }: Machine) {
  const path = platform === 'win32' ? win32 : posix;
  const { join } = path;
  const isMac = platform === 'darwin';
  const support = join(home, 'Library', 'Application Support');
  const roaming = env['APPDATA'] || join(home, 'AppData', 'Roaming');
  const local = env['LOCALAPPDATA'] || join(home, 'AppData', 'Local');
  const isWindows = platform === 'win32';
  return {
    join,
    isAbsolute: path.isAbsolute,
    data: isWindows ? local : isMac ? support : env['XDG_DATA_HOME'] || join(home, '.local', 'share'),
    roaming: isWindows ? roaming : isMac ? support : env['XDG_CONFIG_HOME'] || join(home, '.config'),
  };
}

/** A file of settings, or null where there is none, or one that cannot be. */
export async function readSettings(path: string): Promise<string | null> {
  try {
    if ((await stat(path)).size > maxSettingsBytes) return null;
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** A text of a JSON object, whatever else there is in it; null where there is none. */
export function jsonText(json: string | null, key: string): string | null {
  try {
    const parsed: unknown = JSON.parse(json ?? 'null');
    if (typeof parsed !== 'object' || parsed === null) return null;
    const value = Object.entries(parsed).find(([name]) => name === key)?.[1] as unknown;
    return typeof value === 'string' && value !== '' ? value : null;
  } catch {
    return null;
  }
}
