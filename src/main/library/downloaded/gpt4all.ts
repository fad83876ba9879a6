import { dataFolders, type Machine, readSettings } from './places.ts';

/**
 * GPT4All: the folder of its settings (`modelPath` in `GPT4All.ini`), and the one that it begins with.
 * https://docs.gpt4all.io/gpt4all_desktop/settings.html
 */
export async function gpt4AllFolders(machine: Machine): Promise<string[]> {
  const { join, data, roaming } = dataFolders(machine);
  // On a Mac, too, Qt keeps settings of this form where Linux has them.
  const settings = machine.platform === 'darwin' ? join(machine.home, '.config') : roaming;
  const text = await readSettings(join(settings, 'nomic.ai', 'GPT4All.ini'));
  const chosen = /^modelPath=(.+)$/m.exec(text ?? '')?.[1]?.trim();
  return [...(chosen ? [unquoted(chosen)] : []), join(data, 'nomic.ai', 'GPT4All')];
}

/** As Qt writes texts into INI files: in quotes where they need it, and with what is no ASCII as `\x` and hexadecimal digits. */
function unquoted(value: string): string {
  return value
    .replace(/^"(.*)"$/, '$1')
    .replaceAll(/\\x([0-9a-f]{1,4})|\\(["\\])/gi, (_, code?: string, sign?: string) =>
      code === undefined ? (sign ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
    );
}
