import { dataFolders, jsonText, type Machine, readSettings } from './places.ts';

/**
 * LM Studio: `models` in its home folder (`~/.lmstudio`, or the one that `~/.lmstudio-home-pointer` names), the folder that a person has
 * chosen in its settings instead, and that of versions before 0.3.5 (`~/.cache/lm-studio/models`).
 * https://lmstudio.ai/docs/app/advanced/import-model
 */
export async function lmStudioFolders(machine: Machine): Promise<string[]> {
  const { join } = dataFolders(machine);
  const pointer = await readSettings(join(machine.home, '.lmstudio-home-pointer'));
  const own = pointer?.trim() || join(machine.home, '.lmstudio');
  const old = join(machine.home, '.cache', 'lm-studio');
  const chosen = await Promise.all(
    [own, old].map(async (folder) =>
      jsonText(await readSettings(join(folder, 'settings.json')), 'downloadsFolder'),
    ),
  );
  return [...chosen.filter((folder) => folder !== null), join(own, 'models'), join(old, 'models')];
}
