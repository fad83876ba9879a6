import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The folder of what comes with Puna: that of the sources; beside `out`, in a checkout and in the npm package; or beside the archive
 * that a packaged program lies in, since llama.cpp reads no files within archives. Null where there is none.
 */
export function resourcesFolder(from: string = import.meta.url): string | null {
  // Electron shows what lies within its archive as if it were files, without the model.
  return places(from).find((folder) => !/\.asar[\\/]/.test(folder) && existsSync(folder)) ?? null;
}

/** The same, or where that folder should be: whoever looks there says what is missing. */
export function resourcesPlace(from: string = import.meta.url): string {
  const [usual = ''] = places(from);
  return resourcesFolder(from) ?? usual;
}

function places(from: string): string[] {
  const names = from.endsWith('.ts') ? ['../../../resources'] : ['../../resources', '../../../resources'];
  return names.map((name) => fileURLToPath(new URL(name, from)));
}
